/** @file A folder as a knowledge base: its documents cut, embedded and indexed, kept up to date, searched and quoted. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { ConfigError, DataError } from "../../base/errors.js";
import type { Chunk, TokenCounter } from "../../chunk/index.js";
import {
  type Document,
  type FolderChange,
  type ScanEntry,
  type Skip,
  type SkipReason,
  scanFolder,
  watchFolder,
} from "../../documents/index.js";
import { type CachedEmbedder, type CacheStatistics, cachedEmbedder, openEmbedder } from "../../embed/index.js";
import {
  type Access,
  AccessCounts,
  fusions,
  openStore,
  type Retrieved,
  type RetrieveOptions,
  retrieve,
  type SourceDocument,
  type Store,
  type StoredChunk,
  type SyncResult,
  syncIndex,
} from "../../retrieval/index.js";
import { chunkDocument } from "../chunk-document.js";
import { sha256 } from "../corpus.js";
import { Workspace } from "../workspace.js";
import { type Asked, type AskOptions, answer } from "./answer.js";
import { Dialogue } from "./dialogue.js";
import { counterAt, type IndexSettings, indexSettingsSchema } from "./settings.js";
import { type Summary, type SummaryOptions, summarize } from "./summary.js";

export interface KnowledgeBaseOptions {
  /** How to index; what is not given is as the index was made before, or the default. */
  readonly settings?: Partial<IndexSettings>;
  /** Makes the index anew, whatever is there. Default false. */
  readonly rebuild?: boolean;
  /** Where index and settings are kept. Default: a place of the folder's own below `.tessera`. */
  readonly workspace?: string;
  /** An index elsewhere: `postgres://…`. Default: in the workspace. */
  readonly index?: string;
}

export interface SyncingOptions {
  /** Hears of each document before it is cut, where it is new or changed. */
  readonly onDocument?: (path: string) => void;
  /** Of the folder, where it has just been scanned as the index's settings say. Default: it is scanned. */
  readonly entries?: Iterable<ScanEntry> | AsyncIterable<ScanEntry>;
  /** Ends it before the next document or batch of embeddings; the next synchronisation goes on from what is written. */
  readonly signal?: AbortSignal;
}

/** What bringing the index up to date did. */
export interface IndexReport extends SyncResult {
  readonly skipped: readonly Skip[];
  readonly seconds: number;
  /** Chunks in the index now. */
  readonly numChunks: number;
  /** Of embeddings; absent in an index of words alone. */
  readonly embeddings?: CacheStatistics;
}

/** A chunk of the index and how often it was among the passages of a question. */
export interface HotChunk extends Access {
  readonly chunk: StoredChunk;
}

const SETTINGS = "index.json";
const SKIPPED = "skipped.json";
const ACCESSES = "accesses.sqlite";

/** Documents that are read before all others where the index lacks them. */
const hotDocuments = 32;

const skippedSchema = z.object({
  skipped: z.array(z.object({ path: z.string(), reason: z.custom<SkipReason>(), detail: z.string() })),
});

/** Of vectors beside BM25's 1. */
const BUILTIN_WEIGHT = 0.3;

/** Close it when done. */
export class KnowledgeBase implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    readonly settings: IndexSettings,
    readonly store: Store,
    /** Absent in an index of words alone. */
    readonly embedder: CachedEmbedder | undefined,
    /** Of passages, for every process that asks. */
    readonly accesses: AccessCounts,
    private readonly workspace: Workspace,
    private readonly counter: TokenCounter,
  ) {}

  /**
   * Opens the index of a folder or a document, and makes an empty one where there is none.
   * @throws ConfigError for settings that do not fit; StoreError where the index is damaged or of another embedder, saying
   * that `rebuild` makes it anew.
   */
  static async open(folder: string, options: KnowledgeBaseOptions = {}): Promise<KnowledgeBase> {
    const workspace = options.workspace ? new Workspace(options.workspace) : Workspace.for(folder);
    const known = await workspace.read(indexSettingsSchema.partial(), SETTINGS);
    const parsed = indexSettingsSchema.safeParse({ ...known, ...options.settings });
    if (!parsed.success) throw new ConfigError(`indexing: settings do not fit: ${parsed.error.message}`);
    const settings = parsed.data;
    const counter = counterAt(settings.tokenizer);
    await workspace.prepare();
    const accesses = await AccessCounts.open(workspace.path(ACCESSES));
    let embedder: CachedEmbedder | undefined;
    try {
      if (settings.embedder !== "none") {
        embedder = await cachedEmbedder(await openEmbedder(settings.embedder), workspace.path("embeddings"));
      }
      const store = await openStore(options.index ?? workspace.path("knowledge"), {
        ...(embedder && { embedding: { model: embedder.model, dimension: embedder.dimension } }),
        ...(options.rebuild && { rebuild: true }),
      });
      return new KnowledgeBase(folder, settings, store, embedder, accesses, workspace, counter);
    } catch (thrown) {
      accesses.close();
      await embedder?.close?.();
      throw thrown;
    }
  }

  /**
   * Brings the index to the state of the folder, with work in proportion to what changed. Of documents that the index lacks
   * those come first that were asked for most: made anew, it soon answers what it is usually asked.
   * @throws DataError when the folder holds no document at all; StoreError when another process is writing; the signal's
   * reason once it is aborted.
   */
  async sync({
    onDocument = () => {},
    entries = scanFolder(this.folder, { code: this.settings.code }),
    signal,
  }: SyncingOptions = {}): Promise<IndexReport> {
    const start = performance.now();
    const skipped: Skip[] = [];
    const current = new Map<string, Document>();
    const documents = this.#sources(this.#hotFirst(entries), skipped, current, signal);
    const { embedder } = this;
    // what was given anew as undefined is the default again
    const given = Object.entries(this.settings).filter(([, value]) => value !== undefined);
    await this.workspace.write(Object.fromEntries(given), SETTINGS);
    const result = await syncIndex(this.store, documents, {
      chunk: ({ path }) => {
        onDocument(path);
        return this.cut(current.get(path)!);
      },
      ...(embedder && { embed: (texts) => embedder.embed(texts, "passage", signal) }),
    });
    await this.workspace.write({ skipped }, SKIPPED);
    return {
      ...result,
      skipped,
      seconds: (performance.now() - start) / 1000,
      numChunks: await this.store.count(),
      ...(embedder && { embeddings: embedder.statistics }),
    };
  }

  /** Brings the index up to date each time the folder has changed, for as long as it is asked. The first report is of now. */
  async *watch(signal: AbortSignal): AsyncGenerator<IndexReport> {
    let isChanged = true;
    for await (const change of watchFolder(this.folder, { code: this.settings.code, signal })) {
      isChanged ||= isOfDocuments(change);
      if (change.kind !== "settled" || !isChanged) continue;
      isChanged = false;
      yield await this.sync();
    }
  }

  /**
   * Passages of a question, best first, each with how it came to its place. Scores of BM25 and of vectors are brought to one
   * scale and added, those of the built-in embedder at 0.3 (its card has the figures), unless `fusion` and `weights` say
   * otherwise.
   */
  async retrieve(question: string, options: Omit<RetrieveOptions, "store" | "embedder"> = {}): Promise<Retrieved> {
    const { store, embedder, settings } = this;
    const weights = { text: 1, vector: settings.embedder === "builtin" ? BUILTIN_WEIGHT : 1 };
    const fusion = { fusion: fusions["min-max"], weights };
    const retrieved = await retrieve(question, { store, ...(embedder && { embedder }), ...fusion, ...options });
    this.accesses.record(retrieved.passages.map(({ chunk }) => chunk));
    return retrieved;
  }

  /** The chunks that were most among the passages of questions, lately more than long ago; hottest first. */
  async hottest(limit: number): Promise<HotChunk[]> {
    const hot: HotChunk[] = [];
    const documents = new Map<string, readonly StoredChunk[]>();
    // some may be gone
    for (const { id, path, ...access } of this.accesses.hottest(2 * limit)) {
      if (hot.length === limit) break;
      const chunks = documents.get(path) ?? (await this.store.chunks(path));
      documents.set(path, chunks);
      const chunk = chunks.find((one) => one.id === id);
      if (chunk) hot.push({ chunk, ...access });
    }
    return hot;
  }

  /**
   * An answer of quotes, or one that a model writes with quotes that are checked.
   * @throws as `answer`.
   */
  ask(question: string, options: AskOptions = {}): Promise<Asked> {
    return answer(this, question, options);
  }

  /**
   * What the documents say, or what they say about a topic: key sentences of all of them as quotes, or a text that a model
   * writes from them, each sentence with the quote that says so; and which documents it has something of.
   * @throws as `summarize`.
   */
  summary(options: SummaryOptions = {}): Promise<Summary> {
    return summarize(this, options);
  }

  /** A conversation: questions that may go on with those before. */
  dialogue(options: AskOptions = {}): Dialogue {
    return new Dialogue(this, options);
  }

  /** Texts of indexed documents as their files say now, each read once. */
  reader(): (path: string) => Promise<string | undefined> {
    const texts = new Map<string, Promise<string | undefined>>();
    return (path) => {
      const known = texts.get(path) ?? this.text(path);
      texts.set(path, known);
      return known;
    };
  }

  /** The text of an indexed document as its file says now; undefined where it is none. */
  async text(path: string): Promise<string | undefined> {
    return (await this.document(path))?.text;
  }

  /** An indexed document as its file says now; undefined where it is none. */
  async document(path: string): Promise<Document | undefined> {
    return (await this.store.chunks(path)).length === 0 ? undefined : this.#read(path);
  }

  /** A document of the folder; undefined where there is none. */
  async #read(path: string): Promise<(ScanEntry & { readonly kind: "document" }) | undefined> {
    const isFile = statSync(this.folder, { throwIfNoEntry: false })?.isFile();
    const file = isFile ? this.folder : join(this.folder, path);
    try {
      for await (const entry of scanFolder(file, { code: this.settings.code })) {
        if (entry.kind === "document") return { ...entry, path };
      }
    } catch (thrown) {
      // gone, or no document any more
      if (!(thrown instanceof DataError)) throw thrown;
    }
    return undefined;
  }

  /**
   * The chunks of a document in order, by the settings of the index or by others; the index stays as it is.
   * @throws ConfigError if they do not fit, or need an embedder and there is none.
   */
  cut(
    document: Pick<Document, "text" | "mediaType" | "pageStarts">,
    { chunker, maxTokens, overlapTokens }: Pick<IndexSettings, "chunker" | "maxTokens" | "overlapTokens"> = this
      .settings,
  ): AsyncGenerator<Chunk> {
    const { embedder, counter } = this;
    return chunkDocument(document, {
      ...(chunker && { chunker }),
      maxTokens,
      overlapTokens,
      counter,
      ...(embedder && { embed: (texts) => embedder.embed(texts, "passage") }),
    });
  }

  /** What the last synchronisation left out, and why; none before the first. */
  async skipped(): Promise<readonly Pick<Skip, "path" | "reason" | "detail">[]> {
    return (await this.workspace.read(skippedSchema, SKIPPED))?.skipped ?? [];
  }

  async close(): Promise<void> {
    this.accesses.close();
    await this.store.close();
    await this.embedder?.close?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#hotFirst(entries: Iterable<ScanEntry> | AsyncIterable<ScanEntry>): AsyncGenerator<ScanEntry> {
    const indexed = await this.store.documents();
    const taken = new Set<string>();
    for (const { path } of this.accesses.hottestDocuments(hotDocuments)) {
      const document = indexed.has(path) ? undefined : await this.#read(path);
      if (document === undefined) continue;
      taken.add(path);
      yield document;
    }
    for await (const entry of entries) {
      if (entry.kind !== "document" || !taken.has(entry.path)) yield entry;
    }
  }

  async *#sources(
    entries: AsyncIterable<ScanEntry>,
    skipped: Skip[],
    current: Map<string, Document>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<SourceDocument> {
    const { chunker, maxTokens, overlapTokens, tokenizer } = this.settings;
    const cutting = JSON.stringify({ chunker, maxTokens, overlapTokens, tokenizer });
    for await (const entry of entries) {
      // cutting leaves no time to hear of a stop
      await setImmediate();
      signal?.throwIfAborted();
      if (entry.kind === "skip") skipped.push(entry);
      if (entry.kind !== "document") continue;
      const { path, text, mediaType, pageStarts = [] } = entry;
      current.set(path, entry);
      // of the text, not of the file: a reader that makes another text of it makes other offsets
      const hash = sha256(text, `${pageStarts}`, cutting, mediaType);
      yield { path, text, hash, metadata: { mediaType } };
      current.delete(path);
    }
  }
}

const isOfDocuments = ({ kind }: FolderChange): boolean => kind === "added" || kind === "changed" || kind === "removed";
