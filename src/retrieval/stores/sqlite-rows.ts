/** @file Rows of the SQLite index to what they stand for. */
import { crc32 } from "node:zlib";
import { type BlockLengths, slotsPerBlock } from "../bm25.js";
import type { CodeBlock } from "../one-bit-codes.js";
import type { SqliteFile } from "./sqlite-file.js";
import type { IndexedChunk, StoredChunk } from "./store.js";

/** What is kept of a chunk as JSON. */
type Content = Omit<IndexedChunk, "id" | "vector">;

type ChunkRow = [
  slot: number,
  id: string,
  path: string,
  hash: string,
  content: string,
  crc: number,
  vector: Uint8Array | null,
];

type CodesBlobs = [bits: Uint8Array, scales: Uint8Array, errors: Uint8Array];
type CodesRow = [block: number, ...CodesBlobs];

const selectChunks = `
  select chunks.slot, id, path, hash, content, crc, data
  from chunks join documents using (path) left join vectors using (slot)`;

/** What identifies a chunk and is quoted as its source. */
type Source = Pick<StoredChunk, "id" | "path">;

/** @returns the values of the columns `content` and `crc`. */
export function packContent(path: string, chunk: IndexedChunk): [content: string, crc: number] {
  const { id, start, end, text, headingPath, numTokens } = chunk;
  const content = JSON.stringify({ start, end, text, headingPath, numTokens } satisfies Content);
  return [content, checksum({ id, path }, content)];
}

export function unpackContent(file: SqliteFile, source: Source, json: string, crc: number): Content {
  if (checksum(source, json) !== crc) throw file.damaged("a chunk with a wrong checksum");
  const content: Content = JSON.parse(json);
  return content;
}

function checksum({ id, path }: Source, content: string): number {
  return crc32([path, id, content].join("\0"));
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

export function readLengths(file: SqliteFile): BlockLengths {
  const lengths = new Map<number, Uint32Array>();
  const rows = file.statement("select block, data from lengths").all<[number, Uint8Array]>();
  for (const [block, data] of rows) {
    const numbers = file.numbers(Uint32Array, data);
    if (numbers.length !== slotsPerBlock) throw file.damaged("a block of a wrong size");
    lengths.set(block, numbers);
  }
  return lengths;
}

/** Codes of the vectors, by block; of one block only where it is given. */
export function readCodes(file: SqliteFile, bytesPerVector: number, block?: number): Map<number, CodeBlock> {
  const select = "select block, bits, scales, errors from codes";
  const rows =
    block === undefined
      ? file.statement(select).all<CodesRow>()
      : file.statement(`${select} where block = ?`).all<CodesRow>(block);
  return new Map(rows.map(([index, ...blobs]) => [index, codesOf(file, blobs, bytesPerVector)]));
}

function codesOf(file: SqliteFile, [bits, scales, errors]: CodesBlobs, bytesPerVector: number): CodeBlock {
  const codes = {
    bits: file.numbers(Uint8Array, bits),
    scales: file.numbers(Float32Array, scales),
    errors: file.numbers(Float32Array, errors),
  };
  const sizes = [codes.bits.length / bytesPerVector, codes.scales.length, codes.errors.length];
  if (sizes.some((size) => size !== slotsPerBlock)) throw file.damaged("a block of codes of a wrong size");
  return codes;
}

function chunkOf(file: SqliteFile, [, id, path, documentHash, content, crc, vector]: ChunkRow): StoredChunk {
  const chunk = { id, path, documentHash, ...unpackContent(file, { id, path }, content, crc) };
  return vector === null ? chunk : { ...chunk, vector: file.numbers(Float32Array, vector) };
}
