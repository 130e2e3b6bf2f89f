/** @file The tables of the PostgreSQL index, their versions, and the stamps that tell whether this version can read them. */
import { ConfigError } from "../../base/errors.js";
import type { Connection, PostgresServer } from "./pgvector-server.js";
import { type Embedding, rebuildAdvice, StoreError, type StoreOptions } from "./store.js";
import { embeddingProblem, isEmbedding } from "./store-checks.js";

/** Most dimensions that pgvector's graph index takes; longer vectors are compared one by one. */
export const maxIndexedDimension = 2000;
const maxDimension = 16_000;

/** Filtered searches need what came with it. */
const leastVersion = [0, 8] as const;

/**
 * What brings the tables from each version to the next; the first makes them. A change of `terms.ts` makes what is stored
 * wrong, so it needs a step that throws `rebuildAdvice`, not one that alters tables.
 *
 * Posting lists are rows, so that a change touches what it changes and the server can rank without sending them. Text that
 * may hold zeros or half surrogate pairs is inside of JSON.
 */
const migrations: readonly ((schema: string) => string)[] = [
  (schema) => `
    create table ${schema}.documents (
      number bigint generated always as identity primary key,
      path text collate "C" not null unique, hash text not null, metadata jsonb not null
    );
    create table ${schema}.chunks (
      number bigint generated always as identity primary key,
      id text collate "C" not null unique,
      document bigint not null references ${schema}.documents on delete cascade,
      content text not null, length integer not null
    );
    create index on ${schema}.chunks (document);
    create table ${schema}.postings (
      term text collate "C", chunk bigint, count integer not null, primary key (term, chunk)
    );
    create table ${schema}.totals (chunks bigint not null, length bigint not null);
    insert into ${schema}.totals values (0, 0);
  `,
];

/**
 * Makes the tables, brings older ones up to date, or checks that they are ours and have these vectors.
 * @returns what the vectors of the index are; undefined for text only.
 * @throws StoreError when they cannot be used; ConfigError when there are too many dimensions.
 */
export async function preparePostgres(server: PostgresServer, options: StoreOptions): Promise<Embedding | undefined> {
  const { embedding, rebuild = false } = options;
  if (embedding !== undefined && embedding.dimension > maxDimension) {
    throw new ConfigError(
      `opening an index in PostgreSQL: expected at most ${maxDimension} dimensions, got ${embedding.dimension}`,
    );
  }
  if (rebuild) await dropTables(server);
  return server.prepare("opening", async (connection) => {
    const version = await storedVersion(server, connection);
    if (version === undefined) await createTables(server, connection, embedding);
    else await migrate(server, connection, version);
    const existing = await storedEmbedding(server, connection);
    const problem = embedding === undefined ? undefined : embeddingProblem(existing, embedding);
    if (problem === undefined) return existing;
    throw new StoreError(
      `opening the index ${server.place}: ${problem}; ${rebuildAdvice}, or open it with the embedder it was made with`,
    );
  });
}

/** What the vectors of the index are, as the database says. */
export async function storedEmbedding(
  { schema, place }: PostgresServer,
  connection: Connection,
): Promise<Embedding | undefined> {
  const { rows } = await connection.query<{ value: string }>(
    `select value from ${schema}.meta where key = 'embedding'`,
  );
  if (rows[0] === undefined) return undefined;
  const embedding: unknown = JSON.parse(rows[0].value);
  if (isEmbedding(embedding)) return embedding;
  throw new StoreError(`opening the index ${place}: damaged (no description of its vectors); ${rebuildAdvice}`);
}

/** @returns undefined where there are no tables. @throws StoreError when there are others than ours. */
async function storedVersion({ schema, place }: PostgresServer, connection: Connection): Promise<number | undefined> {
  const { rows: tables } = await connection.query<{ name: string }>(
    "select tablename as name from pg_tables where quote_ident(schemaname) = $1 or schemaname = $2",
    [schema, schema.slice(1, -1)],
  );
  if (tables.length === 0) return undefined;
  const isOurs = tables.some(({ name }) => name === "meta") && tables.some(({ name }) => name === "totals");
  const { rows } = isOurs
    ? await connection.query<{ value: string }>(`select value from ${schema}.meta where key = 'format'`)
    : { rows: [] };
  const version = Number(rows[0]?.value);
  if (Number.isSafeInteger(version)) return version;
  throw new StoreError(`opening the index ${place}: the tables there are another program's; choose another schema`);
}

async function createTables(
  { schema, place }: PostgresServer,
  connection: Connection,
  embedding: Embedding | undefined,
): Promise<void> {
  await connection.query(`create schema if not exists ${schema}`);
  await connection.query(`create table ${schema}.meta (key text primary key, value text not null)`);
  for (const migration of migrations) await connection.query(migration(schema));
  await connection.query(`insert into ${schema}.meta values ('format', $1)`, [String(migrations.length)]);
  if (embedding === undefined) return;
  await connection.query(`insert into ${schema}.meta values ('embedding', $1)`, [JSON.stringify(embedding)]);
  await connection.query("create extension if not exists vector");
  await checkExtension(place, connection);
  await connection.query(`alter table ${schema}.chunks add column vector vector(${embedding.dimension}) not null`);
  if (embedding.dimension <= maxIndexedDimension) {
    await connection.query(`create index on ${schema}.chunks using hnsw (vector vector_ip_ops)`);
  }
}

async function checkExtension(place: string, connection: Connection): Promise<void> {
  const { rows } = await connection.query<{ extversion: string }>(
    "select extversion from pg_extension where extname = 'vector'",
  );
  const [major = 0, minor = 0] = rows[0]!.extversion.split(".").map(Number);
  if (major > leastVersion[0] || minor >= leastVersion[1]) return;
  throw new StoreError(
    `opening the index ${place}: expected pgvector ${leastVersion.join(".")} or newer, the server has ${rows[0]!.extversion}; alter extension vector update`,
  );
}

async function migrate({ schema, place }: PostgresServer, connection: Connection, version: number): Promise<void> {
  if (version > migrations.length) {
    throw new StoreError(
      `opening the index ${place}: this version reads format ${migrations.length}, the index has format ${version}; use a newer Tessera, or ${rebuildAdvice}`,
    );
  }
  if (version === migrations.length) return;
  for (const migration of migrations.slice(version)) await connection.query(migration(schema));
  await connection.query(`update ${schema}.meta set value = $1 where key = 'format'`, [String(migrations.length)]);
}

/** Removes our tables, and nothing else. */
async function dropTables(server: PostgresServer): Promise<void> {
  const hasTables = await server.prepare("rebuilding", async (connection) => {
    return (await storedVersion(server, connection)) !== undefined;
  });
  if (!hasTables) return;
  await server.write(
    "rebuilding",
    async () => {},
    async (connection) => {
      const { schema } = server;
      const tables = ["postings", "chunks", "documents", "totals", "meta"].map((name) => `${schema}.${name}`);
      await connection.query(`drop table if exists ${tables.join(", ")}`);
    },
  );
}
