/** @file The tables of the SQLite index, and the stamps that tell whether this version can read a file. */
import type { SqliteFile } from "./sqlite-file.js";
import { type Embedding, rebuildAdvice, StoreError, type StoreOptions } from "./store.js";
import { embeddingProblem, isEmbedding } from "./store-checks.js";

/** "Tess" in ASCII: marks the file as ours, https://sqlite.org/pragma.html#pragma_application_id */
const applicationId = 0x54657373;

/** Rises with every change of the tables, of `terms.ts`, of the codes of vectors or of the block size. */
const formatVersion = 4;

/**
 * Everything is a table, so a transaction of SQLite covers it all, and nothing is loaded before a query.
 * `postings.data` is pairs of 16-bit numbers, `lengths.data` 32-bit numbers, the rest 32-bit floats, all little-endian.
 * `chunks.content` is JSON, because a string of JavaScript may hold what SQLite's text cannot: zeros and half surrogate pairs.
 * `written` is the number of the change that wrote a row, before the blobs so that it is read without them.
 * Rows have checksums, made with their keys, because SQLite notices damaged pages only, not damaged text and numbers.
 */
const tables = `
  create table meta (key text primary key, value text not null) without rowid;
  create table documents (
    number integer primary key, path text not null unique, hash text not null, metadata text not null, crc integer not null
  );
  create table chunks (
    slot integer primary key, id text not null unique, path text not null, content text not null, crc integer not null
  );
  create index chunks_of_path on chunks (path);
  create table postings (
    block integer, term text, data blob not null, crc integer not null, primary key (block, term)
  ) without rowid;
  create table lengths (block integer primary key, written integer not null, data blob not null, crc integer not null);
  create table vectors (slot integer primary key, data blob not null, crc integer not null);
  create table codes (
    block integer primary key, written integer not null,
    bits blob not null, scales blob not null, errors blob not null, crc integer not null
  );
  create table bytes (
    page integer primary key, written integer not null, data blob not null, scales blob not null, crc integer not null
  );
`;

/**
 * Makes the tables in a new file, or checks that an old one is ours, of this version and with these vectors.
 * @returns what the vectors of the index are; undefined for text only.
 * @throws StoreError when it is not.
 */
export function prepareSchema(file: SqliteFile, { embedding }: StoreOptions): Embedding | undefined {
  if (file.read("opening", () => isEmpty(file))) file.create(() => createTables(file, embedding));
  return file.read("opening", () => {
    checkVersion(file);
    const existing = storedEmbedding(file);
    if (embedding !== undefined) checkSame(file, existing, embedding);
    return existing;
  });
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

/** Whether the database has tables that are not ours. */
export function isForeign(file: SqliteFile): boolean {
  const [id] = file.statement("pragma application_id").get<[number]>()!;
  return id !== applicationId && !isEmpty(file);
}

export const foreignError = (folder: string): StoreError =>
  new StoreError(`opening the index in ${folder}: index.sqlite there is another program's; choose another folder`);

function checkVersion(file: SqliteFile): void {
  if (isForeign(file)) throw foreignError(file.folder);
  const [version] = file.statement("pragma user_version").get<[number]>()!;
  if (version !== formatVersion) {
    const remedy = version > formatVersion ? "use a newer Tessera, or " : "";
    throw new StoreError(
      `opening the index in ${file.folder}: this version reads format ${formatVersion}, the index has format ${version}; ${remedy}${rebuildAdvice}`,
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

function checkSame(file: SqliteFile, existing: Embedding | undefined, wanted: Embedding): void {
  const problem = embeddingProblem(existing, wanted);
  if (problem === undefined) return;
  throw new StoreError(
    `opening the index in ${file.folder}: ${problem}; ${rebuildAdvice}, or open it with the embedder it was made with`,
  );
}
