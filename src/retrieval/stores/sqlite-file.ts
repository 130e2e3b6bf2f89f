/** @file A SQLite database in a folder: opening, transactions, the one writer, and errors that say what to do. */
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { messageOf, TesseraError } from "../../base/errors.js";
import { lockFile } from "./file-lock.js";
import { type Database, type Driver, inTransaction, type Statement } from "./sqlite-driver.js";
import { rebuildAdvice, StoreError } from "./store.js";

/** How long a statement waits for another process that commits or checkpoints at the same moment. */
const busyTimeoutMs = 5000;

/** Pages that a writer keeps in memory: a batch of a thousand chunks touches about this much of the inverted lists. */
const writerPageBytes = 64 * 2 ** 20;

const fileName = "index.sqlite";

interface NumberArray<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** An open database. All methods are synchronous, so nothing else of this process runs in between. */
export class SqliteFile {
  readonly folder: string;
  readonly #driver: Driver;
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();
  /** Which file is open, however often another one takes its name. */
  readonly #inode: number;
  #numWrites = 0;
  readonly #pageBytes: number;
  #writerLock: Database | undefined;

  /**
   * @param pageBytes of memory for pages while nothing is written.
   * @throws StoreError when the folder cannot be made or the file in it is no database.
   */
  constructor(folder: string, driver: Driver, pageBytes: number) {
    this.#pageBytes = pageBytes;
    this.folder = folder;
    this.#driver = driver;
    this.#database = this.#attempt("opening", () => {
      mkdirSync(folder, { recursive: true });
      return new driver.DatabaseSync(join(folder, fileName), { timeout: busyTimeoutMs });
    });
    this.#inode = this.#attempt("opening", () => statSync(join(folder, fileName)).ino);
    this.#attempt("opening", () => {
      // a commit is on the disk before it returns, and damaged pages are noticed when they are read
      this.#database.exec("pragma synchronous = full; pragma cell_size_check = on");
      this.#keepPages(pageBytes);
    });
  }

  /** Makes the tables of a new file. Its log is of the kind that lets readers go on while a writer commits. */
  create(body: () => void): void {
    this.#attempt("making", () => {
      this.#database.exec("pragma journal_mode = wal");
      inTransaction(this.#database, "begin immediate", body);
    });
  }

  /** A statement whose rows are arrays of columns, prepared once. */
  statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Reads from one state of the database, whatever others write meanwhile. */
  read<T>(operation: string, body: () => T): T {
    return this.#attempt(operation, () => inTransaction(this.#database, "begin", body));
  }

  /** Another value after every change of the database, whoever made it. */
  state(): string {
    const [others] = this.statement("pragma data_version").get<[number]>()!;
    return `${others} ${this.#numWrites}`;
  }

  /** Makes all changes of `body` or none. The first call makes this the only writer until it is closed. */
  write<T>(operation: string, body: () => T): T {
    return this.#attempt(operation, () => {
      this.#becomeWriter(operation);
      this.#numWrites++;
      return inTransaction(this.#database, "begin immediate", body);
    });
  }

  /** Runs a statement that wants to be alone and outside of transactions. */
  maintain(operation: string, sql: string): void {
    this.#attempt(operation, () => {
      this.#becomeWriter(operation);
      this.#numWrites++;
      this.#database.exec(sql);
    });
  }

  /** Copies the database as it is now into a folder that has none. */
  copyTo(folder: string): void {
    const target = join(folder, fileName);
    this.#attempt("copying", () => {
      if (existsSync(target))
        throw new StoreError(`copying the index to ${folder}: there is one; choose another folder`);
      mkdirSync(folder, { recursive: true });
      this.#database.prepare("vacuum into ?").run(target);
      const copy = new this.#driver.DatabaseSync(target);
      copy.exec("pragma synchronous = full; pragma journal_mode = wal");
      copy.close();
    });
  }

  /** What is stored contradicts itself. */
  damaged(detail: string): StoreError {
    return new StoreError(`reading the index in ${this.folder}: damaged (${detail}); ${rebuildAdvice}`);
  }

  /** @throws StoreError when `parts` are not what a checksum was made of. */
  check(what: string, crc: number, ...parts: readonly (string | Uint8Array)[]): void {
    if (checksum(...parts) !== crc) throw this.damaged(`${what} with a wrong checksum`);
  }

  /** A stored blob as numbers. */
  numbers<T extends Int8Array | Uint8Array | Uint16Array | Uint32Array | Float32Array>(
    kind: NumberArray<T>,
    blob: Uint8Array,
  ): T {
    if (!ArrayBuffer.isView(blob) || blob.byteLength % kind.BYTES_PER_ELEMENT !== 0) {
      throw this.damaged("a blob of a wrong length");
    }
    const bytes = blob.byteOffset % kind.BYTES_PER_ELEMENT === 0 ? blob : blob.slice();
    return new kind(bytes.buffer, bytes.byteOffset, bytes.byteLength / kind.BYTES_PER_ELEMENT);
  }

  /** A stored JSON value. */
  parse(json: string): unknown {
    try {
      return JSON.parse(json);
    } catch (thrown) {
      throw this.damaged(messageOf(thrown));
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) {
      // the binding leaves this undone when there were statements; without waiting, because a reader may be at work
      if (this.#writerLock !== undefined)
        this.#database.exec("pragma busy_timeout = 0; pragma wal_checkpoint(truncate)");
      this.#database.close();
    }
    if (this.#writerLock?.isOpen === true) this.#writerLock.close();
  }

  #keepPages(bytes: number): void {
    this.#database.exec(`pragma cache_size = -${Math.ceil(bytes / 1024)}`);
  }

  #becomeWriter(operation: string): void {
    if (this.#writerLock !== undefined) return;
    const lock = lockWriter(this.folder, this.#driver, operation, () => this.#writer());
    if (statSync(join(this.folder, fileName)).ino !== this.#inode) {
      lock.close();
      throw new StoreError(
        `${operation} the index in ${this.folder}: it was built again since it was opened here; open it once more`,
      );
    }
    this.#writerLock = lock;
    this.#keepPages(Math.max(writerPageBytes, this.#pageBytes));
    const me = `process ${process.pid} on ${hostname()}`;
    this.statement("insert or replace into meta values ('writer', ?)").run(me);
  }

  #writer(): string {
    const row = this.statement("select value from meta where key = 'writer'").get<[string]>();
    return row?.[0] ?? "it has not said which process it is";
  }

  #attempt<T>(operation: string, body: () => T): T {
    return attempt(operation, this.folder, body);
  }
}

/**
 * Removes the database from a folder, damaged or not. Processes that have it open go on reading what they have.
 * @throws StoreError when it is being written, or cannot be removed.
 */
export function removeDatabase(folder: string, driver: Driver): void {
  attempt("rebuilding", folder, () => {
    if (!existsSync(join(folder, fileName))) return;
    const lock = lockWriter(folder, driver, "rebuilding", () => "it has the lock");
    try {
      for (const ending of ["", "-wal", "-shm"]) rmSync(join(folder, fileName + ending), { force: true });
    } finally {
      lock.close();
    }
  });
}

/** On a file of its own, so that readers do not meet it. */
function lockWriter(folder: string, driver: Driver, operation: string, writer: () => string): Database {
  const lock = lockFile(join(folder, "writer.lock"), driver);
  if (lock) return lock;
  throw new StoreError(
    `${operation} the index in ${folder}: another writer has it open (${writer()}); wait for it to end, or stop it; reading is possible meanwhile`,
  );
}

function attempt<T>(operation: string, folder: string, body: () => T): T {
  try {
    return body();
  } catch (thrown) {
    if (thrown instanceof TesseraError) throw thrown;
    throw new StoreError(`${operation} the index in ${folder}: ${explanation(thrown)}`, { cause: thrown });
  }
}

/** CRC-32 of strings and bytes, in their order. */
export function checksum(...parts: readonly (string | Uint8Array)[]): number {
  return parts.reduce((crc: number, part) => crc32(part, crc), 0);
}

/** Whether an error says that the value of a column like `chunks.id` is there already. */
export function isDuplicate(thrown: unknown, column: string): boolean {
  return messageOf(thrown) === `UNIQUE constraint failed: ${column}`;
}

/** Goes by SQLite's messages, because the binding leaves out the code of errors that a statement meets halfway. */
function explanation(thrown: unknown): string {
  const message = messageOf(thrown);
  if (/malformed|not a database|constraint failed/.test(message)) return `damaged (${message}); ${rebuildAdvice}`;
  if (/disk I\/O error/.test(message)) return `${message}; if the disk is sound, a file was cut off: ${rebuildAdvice}`;
  if (/locked/.test(message)) return `another process kept it locked for ${busyTimeoutMs} ms; try again`;
  if (/disk is full/.test(message)) return "the disk is full; nothing was changed; make room and try again";
  if (/readonly|unable to open/.test(message)) return `${message}; the folder must be writable, even for reading`;
  return message;
}
