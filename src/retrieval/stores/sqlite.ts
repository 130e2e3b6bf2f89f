/** @file An index in one SQLite file: BM25 over inverted lists and scanned one-bit codes, both kept in its tables. */
import { ConfigError, DataError } from "../../base/errors.js";
import { reciprocalRankFusion } from "../fuse.js";
import { OneBitCodes } from "../one-bit-codes.js";
import { SqliteChange } from "./sqlite-change.js";
import { loadDriver } from "./sqlite-driver.js";
import { SqliteFile } from "./sqlite-file.js";
import { chunksInSlots, chunksOfDocument } from "./sqlite-rows.js";
import { prepareSchema } from "./sqlite-schema.js";
import { SqliteSearch } from "./sqlite-search.js";
import type { DocumentChunks, Embedding, Hit, Query, Store, StoreDef, StoredChunk } from "./store.js";

/** How deep both lists are searched before they are fused: a chunk that is middling in both can beat one that is first in one. */
const fusionDepth = 50;

/** How far the squared length of a unit vector may be from 1: rounding to 16 bits stays below. */
const lengthTolerance = 0.01;

export const sqlite: StoreDef = {
  name: "sqlite",
  async open(folder, options = {}) {
    const file = new SqliteFile(folder, await loadDriver());
    try {
      return new SqliteStore(file, prepareSchema(file, options));
    } catch (thrown) {
      file.close();
      throw thrown;
    }
  },
};

class SqliteStore implements Store {
  readonly embedding: Embedding | undefined;
  readonly #file: SqliteFile;
  readonly #codes: OneBitCodes | undefined;
  readonly #search: SqliteSearch;

  constructor(file: SqliteFile, embedding: Embedding | undefined) {
    this.embedding = embedding;
    this.#file = file;
    this.#codes = embedding === undefined ? undefined : new OneBitCodes(embedding.dimension);
    this.#search = new SqliteSearch(file, this.#codes);
  }

  async replace(documents: readonly DocumentChunks[]): Promise<void> {
    this.#checkDocuments(documents);
    this.#change((change) => {
      for (const { path } of documents) change.remove(path);
      for (const document of documents) change.add(document);
    });
  }

  async remove(paths: readonly string[]): Promise<void> {
    this.#change((change) => {
      for (const path of paths) change.remove(path);
    });
  }

  async documents(): Promise<ReadonlyMap<string, string>> {
    return this.#file.read("reading", () => {
      const select = this.#file.statement("select path, hash from documents order by path");
      return new Map(select.all<[string, string]>());
    });
  }

  async chunks(path: string): Promise<StoredChunk[]> {
    return this.#file.read("reading", () => chunksOfDocument(this.#file, path));
  }

  async count(): Promise<number> {
    return this.#file.read("reading", () => {
      const [count] = this.#file.statement("select count(*) from chunks").get<[number]>()!;
      return count;
    });
  }

  async query(query: Query): Promise<Hit[]> {
    this.#checkQuery(query);
    return this.#file.read("searching", () => {
      const found = this.#rank(query);
      const chunks = chunksInSlots(
        this.#file,
        found.map(({ slot }) => slot),
      );
      return found.map(({ score, ranks }, i) => ({ chunk: chunks[i]!, score, ranks }));
    });
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #change(body: (change: SqliteChange) => void): void {
    this.#file.write("writing", () => {
      const change = new SqliteChange(this.#file, this.#codes);
      body(change);
      change.flush();
    });
  }

  #rank({ text, vector, limit, paths }: Query): { slot: number; score: number; ranks: Hit["ranks"] }[] {
    const accepts = this.#search.filter(paths);
    const depth = text !== undefined && vector !== undefined ? Math.max(limit, fusionDepth) : limit;
    const byText = text === undefined ? [] : this.#search.byText(text, depth, accepts);
    const byVector = vector === undefined ? [] : this.#search.byVector(vector, depth, accepts);
    if (vector === undefined) return byText.map(({ key, score }, i) => ({ slot: key, score, ranks: { text: i + 1 } }));
    if (text === undefined)
      return byVector.map(({ key, score }, i) => ({ slot: key, score, ranks: { vector: i + 1 } }));
    const fused = reciprocalRankFusion([byText.map(({ key }) => key), byVector.map(({ key }) => key)]);
    return fused.slice(0, limit).map(({ key, score, ranks: [textRank, vectorRank] }) => ({
      slot: key,
      score,
      ranks: {
        ...(textRank !== undefined && { text: textRank }),
        ...(vectorRank !== undefined && { vector: vectorRank }),
      },
    }));
  }

  #checkQuery({ text, vector, limit }: Query): void {
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new ConfigError(`searching: limit must be a positive whole number, got ${limit}`);
    }
    if (text === undefined && vector === undefined) {
      throw new ConfigError("searching: a query needs text, a vector or both, got neither");
    }
    const problem = vector === undefined ? undefined : this.#problemOf(vector);
    if (problem !== undefined) throw new ConfigError(`searching: ${problem}`);
  }

  #checkDocuments(documents: readonly DocumentChunks[]): void {
    const paths = new Set<string>();
    for (const { path, chunks } of documents) {
      if (paths.has(path)) throw new DataError(`indexing: ${path} is given twice; give each document once per call`);
      paths.add(path);
      checkKey(path, "path");
      for (const { id, vector } of chunks) {
        checkKey(id, "chunk id");
        const problem = vector === undefined ? this.#problemOfNone() : this.#problemOf(vector);
        if (problem !== undefined) throw new DataError(`indexing ${path}, chunk ${id}: ${problem}`);
      }
    }
  }

  #problemOfNone(): string | undefined {
    if (this.embedding === undefined) return undefined;
    return `expected a vector of ${this.embedding.model}, got none; embed the chunk, as the index has vectors`;
  }

  #problemOf(vector: Float32Array): string | undefined {
    if (this.embedding === undefined) {
      return "got a vector, but the index is text only; index again with an embedder, or leave it out";
    }
    if (vector.length !== this.embedding.dimension) {
      return `expected ${this.embedding.dimension} dimensions (${this.embedding.model}), got ${vector.length}; use the embedder of the index`;
    }
    const squaredLength = vector.reduce((sum, x) => sum + x * x, 0);
    // written so that a vector with NaN fails too
    if (Math.abs(squaredLength - 1) <= lengthTolerance) return undefined;
    return `expected a vector of length 1, got ${Math.sqrt(squaredLength)}; divide it by its length`;
  }
}

/** SQLite ends its text at a zero and has no half surrogate pairs, so two such keys could become one. */
function checkKey(key: string, what: string): void {
  if (!/[\0\p{Surrogate}]/u.test(key)) return;
  throw new DataError(
    `indexing: ${what} ${JSON.stringify(key)} has a zero character or half a surrogate pair; rename it`,
  );
}
