/** @file The tables of the SQLite index, and the stamps that tell whether this version can read a file. */
import { ConfigError } from "../../base/errors.js";
import type { SqliteFile } from "./sqlite-file.js";
import { type Embedding, StoreError, type StoreOptions } from "./store.js";

/** "Tess" in ASCII: marks the file as ours, https://sqlite.org/pragma.html#pragma_application_id */
const applicationId = 0x54657373;

/** Rises with every change of the tables, of `terms.ts`, of `one-bit-codes.ts` or of the block size. */
const formatVersion = 2;

/**
 * Everything is a table, so a transaction of SQLite covers it all, and nothing is loaded before a query.
 * `postings.data` is pairs of 16-bit numbers, `lengths.data` 32-bit numbers, the rest 32-bit floats, all little-endian.
 * `chunks.content` is JSON, because a string of JavaScript may hold what SQLite's text cannot: zeros and half surrogate pairs;
 * it has a checksum, because it is quoted as the words of the document and SQLite notices damaged pages only, not damaged text.
 */
const tables = `
  create table meta (key text primary key, value text not null) without rowid;
  create table documents (path text primary key, hash text not null) without rowid;
  create table chunks (
    slot integer primary key, id text not null unique, path text not null, content text not null, crc integer not null
  );
  create index chunks_of_path on chunks (path);
  create table postings (block integer, term text, data blob not null, primary key (block, term)) without rowid;
  create table lengths (block integer primary key, data blob not null);
  create table vectors (slot integer primary key, data blob not null);
  create table codes (block integer primary key, bits blob not null, scales blob not null, errors blob not null);
`;

/**
 * Makes the tables in a new file, or checks that an old one is ours, of this version and with these vectors.
 * @returns what the vectors of the index are; undefined for text only.
 * @throws StoreError when it is not; ConfigError when `options.embedding` makes no sense.
 */
export function prepareSchema(file: SqliteFile, { embedding }: StoreOptions): Embedding | undefined {
  if (embedding !== undefined) checkEmbedding(embedding);
  if (file.read("opening", () => isEmpty(file))) file.create(() => createTables(file, embedding));
  return file.read("opening", () => {
    checkVersion(file);
    const existing = storedEmbedding(file);
    if (embedding !== undefined) checkSame(file, existing, embedding);
    return existing;
  });
}

function checkEmbedding({ model, dimension }: Embedding): void {
  if (Number.isSafeInteger(dimension) && dimension > 0 && model !== "") return;
  throw new ConfigError(
    `opening an index: embedding needs a model name and a positive whole dimension, got ${JSON.stringify({ model, dimension })}`,
  );
}

function isEmpty(file: SqliteFile): boolean {
  const [tableCount] = file.statement("select count(*) from sqlite_schema").get<[number]>()!;
  return tableCount === 0;
}

function createTables(file: SqliteFile, embedding: Embedding | undefined): void {
  if (!isEmpty(file)) return; // another process was faster
  file.exec(tables);
  if (embedding !== undefined) {
    file.statement("insert into meta values ('embedding', ?)").run(JSON.stringify(embedding));
  }
  file.exec(`pragma application_id = ${applicationId}; pragma user_version = ${formatVersion}`);
}

function checkVersion(file: SqliteFile): void {
  const [id] = file.statement("pragma application_id").get<[number]>()!;
  const [version] = file.statement("pragma user_version").get<[number]>()!;
  if (id !== applicationId) {
    throw new StoreError(
      `opening the index in ${file.folder}: index.sqlite there is another program's; choose another folder`,
    );
  }
  if (version !== formatVersion) {
    const remedy = version > formatVersion ? "use a newer Tessera, or delete" : "delete";
    throw new StoreError(
      `opening the index in ${file.folder}: this version reads format ${formatVersion}, the index has format ${version}; ${remedy} the folder and index again`,
    );
  }
}

function storedEmbedding(file: SqliteFile): Embedding | undefined {
  const row = file.statement("select value from meta where key = 'embedding'").get<[string]>();
  if (row === undefined) return undefined;
  const embedding = file.parse(row[0]);
  if (!isEmbedding(embedding)) throw file.damaged("no description of its vectors");
  return embedding;
}

function isEmbedding(value: unknown): value is Embedding {
  if (typeof value !== "object" || value === null || !("model" in value) || !("dimension" in value)) return false;
  return typeof value.model === "string" && typeof value.dimension === "number";
}

function checkSame(file: SqliteFile, existing: Embedding | undefined, wanted: Embedding): void {
  if (existing?.model === wanted.model && existing.dimension === wanted.dimension) return;
  const has = existing === undefined ? "has no vectors" : `has vectors of ${describe(existing)}`;
  throw new StoreError(
    `opening the index in ${file.folder}: expected vectors of ${describe(wanted)}, but it ${has}; delete the folder and index again, or open it with the embedder it was made with`,
  );
}

function describe({ model, dimension }: Embedding): string {
  return `${model} (dimension ${dimension})`;
}
