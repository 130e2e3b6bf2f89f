/** @file Where SQLite comes from: Node's own where that is stable, else a binding with the same interface. */

/** A value in a statement or a row. */
export type SqlValue = number | string | Uint8Array | null;

/** A prepared statement. */
export interface Statement {
  run(...values: SqlValue[]): unknown;
  get<Row>(...values: SqlValue[]): Row | undefined;
  all<Row>(...values: SqlValue[]): Row[];
  /** Rows as arrays of columns instead of objects. */
  setReturnArrays(enabled: boolean): void;
}

/** An open database: the part of `DatabaseSync` that is used here. */
export interface Database {
  readonly isOpen: boolean;
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface Driver {
  readonly DatabaseSync: new (path: string, options?: { readonly timeout?: number }) => Database;
}

/** Makes all changes of `body` or none. @param begin the statement that begins it. */
export function inTransaction<T>(database: Database, begin: "begin" | "begin immediate", body: () => T): T {
  database.exec(begin);
  try {
    const result = body();
    database.exec("commit");
    return result;
  } catch (thrown) {
    // after some errors, a full disk for one, SQLite has already rolled back
    if (database.isTransaction) database.exec("rollback");
    throw thrown;
  }
}

/** First major version of Node whose own SQLite has all that is used here and does not warn that it is experimental. */
const firstNodeWithSqlite = 24;

/**
 * The binding stands in on older versions. There a closed database keeps its files open until its statements are garbage
 * collected, and terminating a worker thread in the middle of a call ends the process.
 */
export async function loadDriver(): Promise<Driver> {
  const major = Number.parseInt(process.versions.node, 10);
  if (major >= firstNodeWithSqlite) {
    // not an import, because the types of the oldest supported Node do not know the module
    const builtin = process.getBuiltinModule("node:sqlite");
    if (builtin !== undefined && isDriver(builtin)) return builtin;
  }
  return await import("@photostructure/sqlite");
}

function isDriver(module: object): module is Driver {
  return "DatabaseSync" in module;
}
