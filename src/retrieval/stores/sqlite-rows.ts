/** @file Rows of the SQLite index to what they stand for. */
import { type BlockLengths, type PostingList, slotsPerBlock } from "../bm25.js";
import { type BytePage, slotsPerPage } from "../byte-codes.js";
import type { Metadata } from "../filter.js";
import type { CodeBlock } from "../one-bit-codes.js";
import { type Content, writeContent } from "./chunk-content.js";
import { checksum, type SqliteFile } from "./sqlite-file.js";
import type { DocumentChunks, IndexedChunk, StoredChunk } from "./store.js";

type ChunkRow = [
  slot: number,
  id: string,
  path: string,
  content: string,
  crc: number,
  ...document: [hash: string, metadata: string, documentCrc: number],
];

const selectChunks = `
  select slot, id, path, content, chunks.crc, hash, metadata, documents.crc
  from chunks join documents using (path)`;

/** What identifies a chunk and is quoted as its source. */
type Source = Pick<StoredChunk, "id" | "path">;

/** @returns the values of the columns `content` and `crc`. */
export function packContent(path: string, chunk: IndexedChunk): [content: string, crc: number] {
  const content = writeContent(chunk);
  return [content, checksum(keyOf({ id: chunk.id, path }), content)];
}

export function unpackContent(file: SqliteFile, source: Source, json: string, crc: number): Content {
  file.check("a chunk", crc, keyOf(source), json);
  const content: Content = JSON.parse(json);
  return content;
}

const keyOf = ({ id, path }: Source): string => `${path}\0${id}\0`;

/** @returns the values of the columns `path`, `hash`, `metadata` and `crc` of a document. */
export function packDocument({
  path,
  hash,
  metadata = {},
}: DocumentChunks): [path: string, hash: string, metadata: string, crc: number] {
  const json = JSON.stringify(metadata);
  return [path, hash, json, checksum(path, hash, json)];
}

export function unpackMetadata(file: SqliteFile, path: string, hash: string, json: string, crc: number): Metadata {
  file.check("a document", crc, path, hash, json);
  const metadata: Metadata = JSON.parse(json);
  return metadata;
}

/** Made of the key too, so that a row under another one's key is noticed. */
export const postingsChecksum = (block: number, term: string, data: Uint8Array): number =>
  checksum(`${block} ${term} `, data);

/** Of blobs under a slot or block. */
export const blobsChecksum = (key: number, ...blobs: readonly Uint8Array[]): number => checksum(`${key} `, ...blobs);

/** A stored vector. */
export function vectorOf(file: SqliteFile, slot: number, data: Uint8Array, crc: number): Float32Array {
  const numbers = file.numbers(Float32Array, data);
  file.check("a vector", crc, `${slot} `, data);
  return numbers;
}

/** A stored inverted list. */
export function postingsOf(file: SqliteFile, block: number, term: string, data: Uint8Array, crc: number): Uint16Array {
  const numbers = file.numbers(Uint16Array, data);
  file.check("an inverted list", crc, `${block} ${term} `, data);
  return numbers;
}

/** Chunks in these slots, by slot, without their vectors. */
export function readChunks(file: SqliteFile, slots: readonly number[]): Map<number, StoredChunk> {
  const select = file.statement(`${selectChunks} where slot in (select value from json_each(?))`);
  const rows = select.all<ChunkRow>(JSON.stringify(slots));
  if (rows.length !== slots.length) throw file.damaged("a search result without a chunk");
  return new Map(rows.map((row) => [row[0], chunkOf(file, row)]));
}

/** Vectors in these slots, by slot. */
export function readVectors(file: SqliteFile, slots: readonly number[]): Map<number, Float32Array> {
  const select = file.statement("select slot, data, crc from vectors where slot in (select value from json_each(?))");
  const rows = select.all<[slot: number, data: Uint8Array, crc: number]>(JSON.stringify(slots));
  if (rows.length !== slots.length) throw file.damaged("chunks or codes without vectors");
  return new Map(rows.map((row) => [row[0], vectorOf(file, ...row)]));
}

/** Inverted lists of these terms in these blocks, those that there are. */
export function readPostings(file: SqliteFile, terms: readonly string[], blocks: readonly number[]): PostingList[] {
  const select = file.statement(
    `select terms.value, postings.block, postings.data, postings.crc from json_each(?) blocks cross join json_each(?) terms
     cross join postings on postings.block = blocks.value and term = terms.value`,
  );
  const rows = select.all<[term: string, block: number, data: Uint8Array, crc: number]>(
    JSON.stringify(blocks),
    JSON.stringify(terms),
  );
  return rows.map(([term, block, ...row]) => ({ term, block, postings: postingsOf(file, block, term, ...row) }));
}

/** Chunks of a document in the order of their starts. */
export function chunksOfDocument(file: SqliteFile, path: string): StoredChunk[] {
  const rows = file.statement(`${selectChunks} where path = ? order by slot`).all<ChunkRow>(path);
  const select = file.statement("select slot, data, vectors.crc from chunks join vectors using (slot) where path = ?");
  const vectors = select.all<[slot: number, data: Uint8Array, crc: number]>(path);
  const vectorsBySlot = new Map(vectors.map((row) => [row[0], vectorOf(file, ...row)]));
  return rows
    .map((row) => withVector(chunkOf(file, row), vectorsBySlot.get(row[0])))
    .sort((a, b) => a.start - b.start || a.end - b.end);
}

export const withVector = (chunk: StoredChunk, vector: Float32Array | undefined): StoredChunk =>
  vector === undefined ? chunk : { ...chunk, vector };

/** Lengths of all chunks, by block. */
export function readLengths(file: SqliteFile): BlockLengths {
  const rows = file.statement("select block, data, crc from lengths").all<[number, Uint8Array, number]>();
  return new Map(rows.map((row) => [row[0], lengthsOf(file, ...row)]));
}

export function readLengthsOf(file: SqliteFile, block: number): Uint32Array | undefined {
  const select = file.statement("select data, crc from lengths where block = ?");
  const row = select.get<[data: Uint8Array, crc: number]>(block);
  return row && lengthsOf(file, block, ...row);
}

function lengthsOf(file: SqliteFile, block: number, data: Uint8Array, crc: number): Uint32Array {
  const numbers = file.numbers(Uint32Array, data);
  if (numbers.length !== slotsPerBlock) throw file.damaged("a block of a wrong size");
  file.check("a block of lengths", crc, `${block} `, data);
  return numbers;
}

/** One-bit codes of the vectors in a block. */
export function readCodes(file: SqliteFile, bytesPerVector: number, block: number): CodeBlock | undefined {
  const select = file.statement("select bits, scales, errors, crc from codes where block = ?");
  const row = select.get<[bits: Uint8Array, scales: Uint8Array, errors: Uint8Array, crc: number]>(block);
  if (row === undefined) return undefined;
  const [bits, scales, errors, crc] = row;
  const codes = {
    bits: file.numbers(Uint8Array, bits),
    scales: file.numbers(Float32Array, scales),
    errors: file.numbers(Float32Array, errors),
  };
  const sizes = [codes.bits.length / bytesPerVector, codes.scales.length, codes.errors.length];
  if (sizes.some((size) => size !== slotsPerBlock)) throw file.damaged("a block of codes of a wrong size");
  file.check("a block of codes", crc, `${block} `, bits, scales, errors);
  return codes;
}

/** One-byte codes of the vectors in a page. */
export function readPage(file: SqliteFile, dimension: number, page: number): BytePage | undefined {
  const select = file.statement("select data, scales, crc from bytes where page = ?");
  const row = select.get<[data: Uint8Array, scales: Uint8Array, crc: number]>(page);
  if (row === undefined) return undefined;
  const [data, scalesBlob, crc] = row;
  const [bytes, scales] = [file.numbers(Int8Array, data), file.numbers(Float32Array, scalesBlob)];
  if (scales.length !== slotsPerPage || bytes.length !== slotsPerPage * dimension) {
    throw file.damaged("a page of codes of a wrong size");
  }
  file.check("a page of codes", crc, `${page} `, data, scalesBlob);
  return { bytes, scales };
}

function chunkOf(file: SqliteFile, row: ChunkRow): StoredChunk {
  const [, id, path, content, crc, documentHash, metadataJson, documentCrc] = row;
  const metadata = unpackMetadata(file, path, documentHash, metadataJson, documentCrc);
  return {
    id,
    path,
    documentHash,
    ...unpackContent(file, { id, path }, content, crc),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}
