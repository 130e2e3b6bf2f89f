/** @file An index in one SQLite file: BM25 over inverted lists and scanned one-bit codes, both kept in its tables. */
import { ConfigError } from "../../base/errors.js";
import { VectorCodes } from "../vector-codes.js";
import { combineLists, searchDepth } from "./hybrid.js";
import { SqliteChange } from "./sqlite-change.js";
import { type Driver, loadDriver } from "./sqlite-driver.js";
import { removeDatabase, SqliteFile } from "./sqlite-file.js";
import { chunksOfDocument } from "./sqlite-rows.js";
import { foreignError, isForeign, prepareSchema } from "./sqlite-schema.js";
import { SqliteSearch } from "./sqlite-search.js";
import { verifySqlite } from "./sqlite-verify.js";
import {
  type Choose,
  type DocumentChunks,
  type Embedding,
  type Hit,
  type Keyed,
  type Query,
  type RankedKey,
  type Store,
  type StoreDef,
  type StoredChunk,
  StoreError,
  type StoreOptions,
  type WithChunk,
} from "./store.js";
import { checkDocuments, checkEmbedding, checkQuery } from "./store-checks.js";

export const sqlite: StoreDef = {
  name: "sqlite",
  schemes: [],
  open: async (folder, options) => openSqlite(await loadDriver(), folder, options),
};

const defaultHotBytes = 64 * 2 ** 20;

/** Pages that a reader keeps beside hot rows at least, and what it does not use for these. */
const leastPageBytes = 8 * 2 ** 20;
const pageBytesBeside = (hotBytes: number): number => leastPageBytes + Math.max(0, defaultHotBytes - hotBytes);

/** The same with a given binding. */
export function openSqlite(driver: Driver, folder: string, options: StoreOptions = {}): Store {
  const { embedding, hotBytes = defaultHotBytes } = options;
  if (embedding !== undefined) checkEmbedding(embedding);
  if (!(hotBytes >= 0)) throw new ConfigError(`opening an index: hotBytes must be 0 or more, got ${hotBytes}`);
  if (options.rebuild === true) clear(driver, folder);
  const file = new SqliteFile(folder, driver, pageBytesBeside(hotBytes));
  try {
    return new SqliteStore(file, prepareSchema(file, options), hotBytes);
  } catch (thrown) {
    file.close();
    throw thrown;
  }
}

/** Removes an index, damaged or not. @throws StoreError when the database there is another program's. */
function clear(driver: Driver, folder: string): void {
  if (isForeignIn(driver, folder)) throw foreignError(folder);
  removeDatabase(folder, driver);
}

function isForeignIn(driver: Driver, folder: string): boolean {
  try {
    const file = new SqliteFile(folder, driver, leastPageBytes);
    try {
      return file.read("rebuilding", () => isForeign(file));
    } finally {
      file.close();
    }
  } catch (thrown) {
    // what cannot be read is damaged and may go
    if (thrown instanceof StoreError) return false;
    throw thrown;
  }
}

class SqliteStore implements Store {
  readonly embedding: Embedding | undefined;
  readonly #file: SqliteFile;
  readonly #codes: VectorCodes | undefined;
  readonly #search: SqliteSearch;

  constructor(file: SqliteFile, embedding: Embedding | undefined, hotBytes: number) {
    this.embedding = embedding;
    this.#file = file;
    this.#codes = embedding === undefined ? undefined : new VectorCodes(embedding.dimension);
    this.#search = new SqliteSearch(file, this.#codes, hotBytes);
  }

  async replace(documents: readonly DocumentChunks[]): Promise<void> {
    checkDocuments(documents, this.embedding);
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

  query(query: Query): Promise<Hit[]> {
    return this.search([query], ([found]) => found!);
  }

  async search<T extends Keyed>(queries: readonly Query[], choose: Choose<T>): Promise<WithChunk<T>[]> {
    for (const query of queries) checkQuery(query, this.embedding);
    return this.#file.read("searching", () => {
      const chosen = choose(queries.map((query) => this.#rank(query)));
      const chunks = this.#search.chunks(chosen.map(({ key }) => key));
      return chosen.map((item, i) => ({ ...item, chunk: chunks[i]! }));
    });
  }

  async verify(): Promise<void> {
    this.#file.read("verifying", () => verifySqlite(this.#file, this.#codes));
  }

  async compact(): Promise<void> {
    this.#file.maintain("compacting", "vacuum; pragma wal_checkpoint(truncate)");
  }

  async snapshot(folder: string): Promise<void> {
    this.#file.copyTo(folder);
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

  #rank(query: Query): RankedKey[] {
    const { text, vector, limit } = query;
    const accepts = this.#search.accepting(query);
    const depth = searchDepth(query);
    const lists = {
      text: text === undefined ? undefined : this.#search.byText(text, depth, accepts),
      vector: vector === undefined ? undefined : this.#search.byVector(vector, depth, accepts),
    };
    return combineLists(lists, limit);
  }
}
