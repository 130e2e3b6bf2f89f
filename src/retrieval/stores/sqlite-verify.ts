/** @file Reads a whole SQLite index and compares every row with its checksum. */
import { slotsPerBlock } from "../bm25.js";
import type { VectorCodes } from "../vector-codes.js";
import type { SqliteFile } from "./sqlite-file.js";
import {
  postingsOf,
  readCodes,
  readLengths,
  readPage,
  unpackContent,
  unpackMetadata,
  vectorOf,
} from "./sqlite-rows.js";

/** @throws StoreError naming the first damage that is found. */
export function verifySqlite(file: SqliteFile, codes: VectorCodes | undefined): void {
  const [problem] = file.statement("pragma quick_check(1)").get<[string]>()!;
  if (problem !== "ok") throw file.damaged(problem);
  const documents = file.statement("select path, hash, metadata, crc from documents");
  for (const row of documents.all<[string, string, string, number]>()) unpackMetadata(file, ...row);
  const lengths = readLengths(file);
  let [numTaken, numChunks, numVectors] = [0, 0, 0];
  for (const [block, data] of lengths) {
    numTaken += data.reduce((sum, length) => sum + (length === 0 ? 0 : 1), 0);
    numChunks += verifyChunks(file, block);
    numVectors += verifyVectors(file, block);
    verifyPostings(file, block);
    if (codes !== undefined) readCodes(file, codes.oneBit.bytesPerVector, block);
  }
  if (codes !== undefined) verifyPages(file, codes.dimension);
  const [numRows] = file.statement("select count(*) from chunks join documents using (path)").get<[number]>()!;
  const counts = [numChunks, numRows, ...(codes === undefined ? [] : [numVectors])];
  if (counts.some((count) => count !== numTaken)) throw file.damaged("chunks that are missing or too many");
}

/** A block at a time, so that memory stays flat. */
const slotsOf = (block: number): [first: number, end: number] => [block * slotsPerBlock, (block + 1) * slotsPerBlock];

function verifyChunks(file: SqliteFile, block: number): number {
  const select = file.statement("select id, path, content, crc from chunks where slot >= ? and slot < ?");
  const rows = select.all<[id: string, path: string, content: string, crc: number]>(...slotsOf(block));
  for (const [id, path, ...row] of rows) unpackContent(file, { id, path }, ...row);
  return rows.length;
}

function verifyVectors(file: SqliteFile, block: number): number {
  const select = file.statement("select slot, data, crc from vectors where slot >= ? and slot < ?");
  const rows = select.all<[slot: number, data: Uint8Array, crc: number]>(...slotsOf(block));
  for (const row of rows) vectorOf(file, ...row);
  return rows.length;
}

function verifyPostings(file: SqliteFile, block: number): void {
  const select = file.statement("select term, data, crc from postings where block = ?");
  for (const row of select.all<[term: string, data: Uint8Array, crc: number]>(block)) postingsOf(file, block, ...row);
}

function verifyPages(file: SqliteFile, dimension: number): void {
  for (const [page] of file.statement("select page from bytes").all<[number]>()) readPage(file, dimension, page);
}
