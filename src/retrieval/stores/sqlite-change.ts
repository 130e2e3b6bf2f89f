/** @file One change of the SQLite index: which rows, inverted lists and codes it touches. Runs inside a transaction. */
import { slotsPerBlock } from "../bm25.js";
import { type BytePage, slotsPerPage } from "../byte-codes.js";
import type { CodeBlock } from "../one-bit-codes.js";
import { type BlockChange, changedPostings, PostingChanges } from "../postings.js";
import { SlotTable } from "../slots.js";
import type { VectorCodes } from "../vector-codes.js";
import { termsOf } from "./chunk-content.js";
import type { Statement } from "./sqlite-driver.js";
import { isDuplicate, type SqliteFile } from "./sqlite-file.js";
import {
  blobsChecksum,
  packContent,
  packDocument,
  postingsChecksum,
  postingsOf,
  readCodes,
  readLengths,
  readPage,
  unpackContent,
} from "./sqlite-rows.js";
import type { DocumentChunks, IndexedChunk } from "./store.js";
import { duplicateId } from "./store-checks.js";

/** Takes documents out and puts documents in, then `flush` writes the lists and codes of all of them at once. */
export class SqliteChange {
  readonly #file: SqliteFile;
  readonly #codes: VectorCodes | undefined;
  readonly #slots: SlotTable;
  readonly #postings = new PostingChanges();
  readonly #codeBlocks = new Map<number, CodeBlock>();
  readonly #bytePages = new Map<number, BytePage>();

  constructor(file: SqliteFile, codes: VectorCodes | undefined) {
    this.#file = file;
    this.#codes = codes;
    this.#slots = new SlotTable(readLengths(file));
  }

  remove(path: string): void {
    const select = this.#sql("select slot, id, content, crc from chunks where path = ?");
    const rows = select.all<[number, string, string, number]>(path);
    for (const [slot, id, content, crc] of rows) {
      const chunk = unpackContent(this.#file, { id, path }, content, crc);
      this.#postings.remove(slot, termsOf(path, chunk));
      this.#slots.free(slot);
      this.#removeVector(slot);
    }
    this.#sql("delete from chunks where path = ?").run(path);
    this.#sql("delete from documents where path = ?").run(path);
  }

  add(document: DocumentChunks): void {
    const { path, chunks } = document;
    this.#sql("insert into documents values (null, ?, ?, ?, ?)").run(...packDocument(document));
    for (const chunk of chunks) {
      const terms = termsOf(path, chunk);
      const slot = this.#slots.take(terms.numPositions);
      this.#addRow(slot, path, chunk);
      this.#postings.add(slot, terms);
      if (chunk.vector !== undefined) this.#addVector(slot, chunk.vector);
    }
  }

  flush(): void {
    const written = this.#nextNumber();
    for (const [block, lengths] of this.#slots.changedBlocks()) {
      const data = bytesOf(lengths);
      if (lengths.every((length) => length === 0)) this.#removeBlock(block);
      else
        this.#sql("insert or replace into lengths values (?, ?, ?, ?)").run(
          block,
          written,
          data,
          blobsChecksum(block, data),
        );
    }
    for (const [block, change] of this.#postings.blocks()) this.#writePostings(block, change);
    for (const [block, { bits, scales, errors }] of this.#codeBlocks) {
      if (scales.every((scale) => scale === 0)) continue;
      const blobs = [bits, bytesOf(scales), bytesOf(errors)] as const;
      const write = this.#sql("insert or replace into codes values (?, ?, ?, ?, ?, ?)");
      write.run(block, written, ...blobs, blobsChecksum(block, ...blobs));
    }
    for (const [page, { bytes, scales }] of this.#bytePages) {
      if (scales.every((scale) => scale === 0)) this.#sql("delete from bytes where page = ?").run(page);
      else this.#writePage(page, written, bytesOf(bytes), bytesOf(scales));
    }
  }

  /** Numbers of changes rise, so that readers know which blocks they have to read again. */
  #nextNumber(): number {
    const row = this.#sql("select value from meta where key = 'changes'").get<[string]>();
    const number = Number(row?.[0] ?? 0) + 1;
    this.#sql("insert or replace into meta values ('changes', ?)").run(String(number));
    return number;
  }

  #writePage(page: number, written: number, data: Uint8Array, scales: Uint8Array): void {
    const write = this.#sql("insert or replace into bytes values (?, ?, ?, ?, ?)");
    write.run(page, written, data, scales, blobsChecksum(page, data, scales));
  }

  /** A block without chunks is not to be scanned any more. */
  #removeBlock(block: number): void {
    this.#sql("delete from lengths where block = ?").run(block);
    this.#sql("delete from codes where block = ?").run(block);
  }

  #addRow(slot: number, path: string, chunk: IndexedChunk): void {
    try {
      this.#sql("insert into chunks values (?, ?, ?, ?, ?)").run(slot, chunk.id, path, ...packContent(path, chunk));
    } catch (thrown) {
      if (!isDuplicate(thrown, "chunks.id")) throw thrown;
      throw duplicateId(path, chunk.id);
    }
  }

  #writePostings(block: number, { removed, added }: BlockChange): void {
    const select = this.#sql("select data, crc from postings where block = ? and term = ?");
    const write = this.#sql("insert or replace into postings values (?, ?, ?, ?)");
    const remove = this.#sql("delete from postings where block = ? and term = ?");
    // in the order of the primary key, so that neighbouring rows are written while their page is at hand
    for (const term of [...added.keys()].sort()) {
      const row = select.get<[data: Uint8Array, crc: number]>(block, term);
      const old = row === undefined ? new Uint16Array() : postingsOf(this.#file, block, term, ...row);
      const postings = bytesOf(changedPostings(old, removed, added.get(term)!));
      if (postings.length > 0) write.run(block, term, postings, postingsChecksum(block, term, postings));
      else remove.run(block, term);
    }
  }

  #addVector(slot: number, vector: Float32Array): void {
    const data = bytesOf(vector);
    this.#sql("insert into vectors values (?, ?, ?)").run(slot, data, blobsChecksum(slot, data));
    if (this.#codes === undefined) return;
    this.#codes.oneBit.encode(vector, this.#codeBlock(this.#codes, slot), slot % slotsPerBlock);
    this.#codes.bytes.encode(vector, this.#bytePage(this.#codes, slot), slot % slotsPerPage);
  }

  #removeVector(slot: number): void {
    if (this.#codes === undefined) return;
    this.#sql("delete from vectors where slot = ?").run(slot);
    this.#codeBlock(this.#codes, slot).scales[slot % slotsPerBlock] = 0;
    this.#bytePage(this.#codes, slot).scales[slot % slotsPerPage] = 0;
  }

  #codeBlock({ oneBit }: VectorCodes, slot: number): CodeBlock {
    const block = Math.floor(slot / slotsPerBlock);
    const codes =
      this.#codeBlocks.get(block) ??
      readCodes(this.#file, oneBit.bytesPerVector, block) ??
      oneBit.emptyBlock(slotsPerBlock);
    this.#codeBlocks.set(block, codes);
    return codes;
  }

  #bytePage({ bytes, dimension }: VectorCodes, slot: number): BytePage {
    const number = Math.floor(slot / slotsPerPage);
    const page = this.#bytePages.get(number) ?? readPage(this.#file, dimension, number) ?? bytes.emptyPage();
    this.#bytePages.set(number, page);
    return page;
  }

  #sql(text: string): Statement {
    return this.#file.statement(text);
  }
}

function bytesOf(numbers: Int8Array | Uint16Array | Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
