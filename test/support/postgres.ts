/** @file A PostgreSQL with pgvector for tests: PGlite behind a socket, or the server that TESSERA_TEST_POSTGRES names. */
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** A server of one's own: `postgres://postgres@127.0.0.1:5432/postgres`; its user may create schemas and extensions. */
const given = process.env.TESSERA_TEST_POSTGRES;

/** PGlite runs all connections in one session, and a session may take a lock that it has. */
export const isOneSession = given === undefined;

export interface TestPostgres extends AsyncDisposable {
  /** Without a schema. */
  readonly address: string;
}

export async function startPostgres(): Promise<TestPostgres> {
  if (given !== undefined) return { address: given, [Symbol.asyncDispose]: async () => {} };
  const database = await PGlite.create({ extensions: { vector } });
  const server = new PGLiteSocketServer({ db: database, host: "127.0.0.1", port: 0, maxConnections: 50 });
  await server.start();
  return {
    address: `postgres://postgres@${server.getServerConn()}/postgres`,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await database.close();
    },
  };
}
