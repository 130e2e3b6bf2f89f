/** @file A PostgreSQL server behind an address: connections, transactions, the one writer, and errors that say what to do. */
import { hostname } from "node:os";
import type { Pool, PoolClient } from "pg";
import { ConfigError, messageOf, TesseraError } from "../../base/errors.js";
import { StoreError } from "./store.js";

const defaultSchema = "tessera";

/** Connections that read at the same time. */
const maxReaders = 4;

const connectTimeoutMs = 10_000;

/** The part of a connection that stores use. */
export type Connection = Pick<PoolClient, "query">;

/** Tables in one schema of a database. */
export class PostgresServer {
  /** Quoted for SQL. */
  readonly schema: string;
  /** For messages: where it is, without who asks and the password. */
  readonly place: string;
  readonly #lockKey: string;
  readonly #pool: Pool;
  #writer: PoolClient | undefined;
  /** The write under way: writes of one handle go one after the other. */
  #lastWrite: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(pool: Pool, schema: string, place: string) {
    this.#pool = pool;
    this.schema = `"${schema}"`;
    this.place = place;
    this.#lockKey = `tessera index ${schema}`;
    // a connection that breaks fails what uses it; its event, unheard, would end the process besides
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
  }

  /**
   * @param address `postgres://user@host:port/database?schema=name`; what is missing comes from the environment (PGHOST,
   * PGUSER, PGPASSWORD and so on) as with all clients of PostgreSQL.
   * @throws ConfigError when it is none; StoreError when the client is not installed.
   */
  static async open(address: string): Promise<PostgresServer> {
    const url = parse(address);
    const schema = url.searchParams.get("schema") ?? defaultSchema;
    // what PostgreSQL would cut off or fold is refused
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
      throw new ConfigError(
        `opening an index in PostgreSQL: a schema is named by small letters, digits and _, got ${JSON.stringify(schema)}`,
      );
    }
    url.searchParams.delete("schema");
    const place = `in schema ${schema} of ${url.host === "" ? "PostgreSQL" : url.host}${url.pathname}`;
    const { default: pg } = await loadClient();
    const pool = new pg.Pool({
      connectionString: url.href,
      // one more for the writer, who keeps a connection
      max: maxReaders + 1,
      connectionTimeoutMillis: connectTimeoutMs,
      application_name: "tessera",
      // an open index does not keep the process alive
      allowExitOnIdle: true,
    });
    return new PostgresServer(pool, schema, place);
  }

  /** Reads from one state of the database, whatever others write meanwhile. */
  read<T>(operation: string, body: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#attempt(operation, async () => {
      const client = await this.#pool.connect();
      return transaction(client, "begin isolation level repeatable read read only", body).finally(() =>
        client.release(),
      );
    });
  }

  /** Makes all changes of `body` or none, without being the writer: to make tables. One process at a time. */
  prepare<T>(operation: string, body: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#attempt(operation, async () => {
      const client = await this.#pool.connect();
      return transaction(client, "begin", async (connection) => {
        await connection.query("select pg_advisory_xact_lock(hashtextextended($1, 1))", [this.#lockKey]);
        return body(connection);
      }).finally(() => client.release());
    });
  }

  /**
   * Makes all changes of `body` or none. The first call makes this the only writer until it is closed, its process dies or
   * its connection breaks.
   * @param check runs once, when this becomes the writer.
   */
  write<T>(
    operation: string,
    check: (connection: Connection) => Promise<void>,
    body: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    return this.#alone(operation, check, (client) => transaction(client, "begin", body));
  }

  /** Runs statements that want to be outside of transactions. */
  maintain(
    operation: string,
    check: (connection: Connection) => Promise<void>,
    statements: readonly string[],
  ): Promise<void> {
    return this.#alone(operation, check, async (client) => {
      for (const statement of statements) await client.query(statement);
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#lastWrite.catch(() => {});
    // ending the session frees the lock too, but a moment after it is ended here
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.query("select pg_advisory_unlock_all()").catch(() => {});
    writer?.release(true);
    await this.#pool.end();
  }

  #alone<T>(
    operation: string,
    check: (connection: Connection) => Promise<void>,
    body: (client: PoolClient) => Promise<T>,
  ): Promise<T> {
    const write = this.#lastWrite
      .catch(() => {})
      .then(() =>
        this.#attempt(operation, async () => {
          this.#writer ??= await this.#becomeWriter(operation, check);
          return body(this.#writer);
        }),
      );
    this.#lastWrite = write;
    return write;
  }

  /** The lock belongs to the session: it ends with the process, however that dies, and readers do not meet it. */
  async #becomeWriter(operation: string, check: (connection: Connection) => Promise<void>): Promise<PoolClient> {
    const client = await this.#pool.connect();
    try {
      const lock = "select pg_try_advisory_lock(hashtextextended($1, 0)) as is_mine";
      const { rows } = await client.query<{ is_mine: boolean }>(lock, [this.#lockKey]);
      if (!rows[0]!.is_mine) throw await this.#otherWriter(operation, client);
      await check(client);
      await client.query(
        `insert into ${this.schema}.meta values ('writer', $1) on conflict (key) do update set value = excluded.value`,
        [`process ${process.pid} on ${hostname()}`],
      );
      // without the lock that the session had, this must not write on
      client.on("error", () => this.#forget(client));
      client.on("end", () => this.#forget(client));
      return client;
    } catch (thrown) {
      client.release(true);
      throw thrown;
    }
  }

  #forget(client: PoolClient): void {
    if (this.#writer !== client) return;
    this.#writer = undefined;
    client.release(true);
  }

  async #otherWriter(operation: string, connection: Connection): Promise<StoreError> {
    const { rows } = await connection.query<{ value: string }>(
      `select value from ${this.schema}.meta where key = 'writer'`,
    );
    const writer = rows[0]?.value ?? "it has not said which process it is";
    return new StoreError(
      `${operation} the index ${this.place}: another writer has it open (${writer}); wait for it to end, or stop it; reading is possible meanwhile`,
    );
  }

  async #attempt<T>(operation: string, body: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new StoreError(`${operation} the index ${this.place}: it is closed; open it again`);
    try {
      return await body();
    } catch (thrown) {
      if (thrown instanceof TesseraError) throw thrown;
      throw new StoreError(`${operation} the index ${this.place}: ${explanation(thrown)}`, { cause: thrown });
    }
  }
}

/** SQLSTATE of an error of the server, or the system's code of one on the way there. */
export function codeOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return codeOf(thrown.errors[0]);
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}

async function transaction<T>(
  client: PoolClient,
  begin: string,
  body: (connection: Connection) => Promise<T>,
): Promise<T> {
  await client.query(begin);
  try {
    const result = await body(client);
    await client.query("commit");
    return result;
  } catch (thrown) {
    // the connection may be what broke
    await client.query("rollback").catch(() => {});
    throw thrown;
  }
}

function parse(address: string): URL {
  if (!URL.canParse(address)) {
    // not shown, because it may hold a password
    throw new ConfigError(
      "opening an index in PostgreSQL: expected postgres://user@host:port/database?schema=name, got another address",
    );
  }
  return new URL(address);
}

async function loadClient(): Promise<typeof import("pg")> {
  try {
    return await import("pg");
  } catch (thrown) {
    throw new StoreError("opening an index in PostgreSQL: its client is not installed; npm install pg", {
      cause: thrown,
    });
  }
}

/** By SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html */
function explanation(thrown: unknown): string {
  const message = thrown instanceof AggregateError ? messageOf(thrown.errors[0]) : messageOf(thrown);
  switch (codeOf(thrown)) {
    case "ECONNREFUSED":
    case "ENOTFOUND":
    case "ETIMEDOUT":
      return `the server was not reached (${message}); check host and port, and that it runs`;
    case "28P01":
    case "28000":
      return `${message}; check the user, and the password in the address or in PGPASSWORD`;
    case "42501":
      return `${message}; the user must be allowed to create schemas in the database`;
    case "53100":
      return "the disk of the server is full; nothing was changed; make room and try again";
    case "0A000":
    case "58P01":
      return `${message}; vectors need the extension pgvector on the server`;
    default:
      if (!/connection (error|terminated)|ECONNRESET/i.test(message)) return message;
      return `the connection broke (${message}); what was under way is done whole or not at all; try again`;
  }
}
