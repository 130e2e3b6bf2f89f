/**
 * @file How often chunks were asked for, lately more than long ago, in a file that any number of processes may write.
 *
 * Only places are kept, never questions. A count is halved in every half-life, by weights that grow with the time since a
 * landmark instead of old ones that shrink: Cormode, Shkapenyuk, Srivastava and Xu, "Forward decay: a practical time decay
 * model for streaming systems", ICDE 2009.
 */
import { messageOf } from "../base/errors.js";
import { type Database, inTransaction, loadDriver, type Statement } from "./stores/sqlite-driver.js";
import { type StoredChunk, StoreError } from "./stores/store.js";

export interface AccessOptions {
  /** After which an access counts half. Default 30. */
  readonly halfLifeDays?: number;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
}

/** What was asked for. */
export interface Access {
  /** The sum of what each access is worth by now: 1 when it happens, half after a half-life. */
  readonly heat: number;
  /** All there were. */
  readonly count: number;
}

export interface ChunkAccess extends Access, Pick<StoredChunk, "id" | "path"> {}

const millisecondsPerDay = 86_400_000;

/** Chunks whose accesses are kept: those with the most heat. */
const mostChunks = 100_000;

/** How long another process is waited for; counts are not worth more. */
const timeoutMs = 1000;

export class AccessCounts {
  readonly #database: Database;
  readonly #halfLifeMs: number;
  readonly #now: () => number;
  readonly #landmark: number;
  readonly #add: Statement;
  #fault: string | undefined;

  private constructor(database: Database, halfLifeMs: number, now: () => number) {
    this.#database = database;
    this.#halfLifeMs = halfLifeMs;
    this.#now = now;
    // a count that a power cut loses is none that is missed
    database.exec("pragma synchronous = off");
    database.exec(`
      create table if not exists landmark (only integer primary key check (only = 0), milliseconds real not null);
      create table if not exists accesses (
        id text primary key, path text not null, count integer not null, heat real not null
      ) without rowid;
      create index if not exists accesses_by_heat on accesses (heat);`);
    database.prepare("insert or ignore into landmark values (0, ?)").run(now());
    this.#landmark = database
      .prepare("select milliseconds from landmark")
      .get<{ milliseconds: number }>()!.milliseconds;
    this.#add = database.prepare(
      `insert into accesses values (?, ?, 1, ?)
       on conflict (id) do update set count = count + 1, heat = heat + excluded.heat`,
    );
    database.exec(
      `delete from accesses where id in (select id from accesses order by heat desc limit -1 offset ${mostChunks})`,
    );
  }

  /** @throws StoreError when the file is damaged or cannot be used. */
  static async open(file: string, { halfLifeDays = 30, now = Date.now }: AccessOptions = {}): Promise<AccessCounts> {
    const { DatabaseSync } = await loadDriver();
    let database: Database | undefined;
    try {
      database = new DatabaseSync(file, { timeout: timeoutMs });
      return new AccessCounts(database, halfLifeDays * millisecondsPerDay, now);
    } catch (thrown) {
      database?.close();
      throw new StoreError(
        `opening the counts of what was asked for: ${file}: ${messageOf(thrown)}; if it is damaged, delete it: nothing else is lost`,
        { cause: thrown },
      );
    }
  }

  /** Why the last accesses could not be counted; undefined where they were. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Counts an access of each chunk. Never throws, because an answer is worth more than its count: `fault` says what was wrong. */
  record(chunks: Iterable<Pick<StoredChunk, "id" | "path">>): void {
    const worth = 2 ** ((this.#now() - this.#landmark) / this.#halfLifeMs);
    try {
      inTransaction(this.#database, "begin immediate", () => {
        for (const { id, path } of chunks) this.#add.run(id, path, worth);
      });
      this.#fault = undefined;
    } catch (thrown) {
      this.#fault = messageOf(thrown);
    }
  }

  /** The chunks with the most heat, hottest first; some may no longer be in the index. */
  hottest(limit: number): ChunkAccess[] {
    const select = this.#database.prepare("select id, path, count, heat from accesses order by heat desc, id limit ?");
    return select.all<ChunkAccess>(limit).map((row) => this.#byNow(row));
  }

  /** The documents whose chunks have the most heat together, hottest first. */
  hottestDocuments(limit: number): (Access & { readonly path: string })[] {
    const select = this.#database.prepare(
      "select path, sum(count) as count, sum(heat) as heat from accesses group by path order by heat desc, path limit ?",
    );
    return select.all<Access & { readonly path: string }>(limit).map((row) => this.#byNow(row));
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #byNow<T extends Access>(row: T): T {
    return { ...row, heat: row.heat / 2 ** ((this.#now() - this.#landmark) / this.#halfLifeMs) };
  }
}
