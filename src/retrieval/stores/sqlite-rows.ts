/** @file Rows of the SQLite index to what they stand for. */
import { type BlockLengths, slotsPerBlock } from "../bm25.js";
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
  ...vector: [data: Uint8Array | null, vectorCrc: number | null],
];

const selectChunks = `
  select chunks.slot, id, path, content, chunks.crc, hash, metadata, documents.crc, data, vectors.crc
  from chunks join documents using (path) left join vectors using (slot)`;

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

/** Chunks in these slots, in their order. */
export function chunksInSlots(file: SqliteFile, slots: readonly number[]): StoredChunk[] {
  const rows = new Map<number, ChunkRow>();
  const select = file.statement(`${selectChunks} where chunks.slot in (select value from json_each(?))`);
  for (const row of select.all<ChunkRow>(JSON.stringify(slots))) rows.set(row[0], row);
  return slots.map((slot) => {
    const row = rows.get(slot);
    if (row === undefined) throw file.damaged("a search result without a chunk");
    return chunkOf(file, row);
  });
}

/** Chunks of a document in the order of their starts. */
export function chunksOfDocument(file: SqliteFile, path: string): StoredChunk[] {
  const rows = file.statement(`${selectChunks} where path = ? order by chunks.slot`).all<ChunkRow>(path);
  return rows.map((row) => chunkOf(file, row)).sort((a, b) => a.start - b.start || a.end - b.end);
}

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
  const [slot, id, path, content, crc, documentHash, metadataJson, documentCrc, vector, vectorCrc] = row;
  const metadata = unpackMetadata(file, path, documentHash, metadataJson, documentCrc);
  return {
    id,
    path,
    documentHash,
    ...unpackContent(file, { id, path }, content, crc),
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(vector !== null && { vector: vectorOf(file, slot, vector, vectorCrc!) }),
  };
}
