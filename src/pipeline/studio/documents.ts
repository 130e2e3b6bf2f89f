/** @file Documents of the index as the Studio shows them: their text, their chunks, and how else they could be cut. */

import { setImmediate } from "node:timers/promises";
import { CapacityError, ConfigError } from "../../base/errors.js";
import type { Chunk } from "../../chunk/index.js";
import type { Document } from "../../documents/index.js";
import { Refusal } from "../../server/refusal.js";
import type { DocumentsService } from "../../server/studio/service.js";
import type {
  CutChunk,
  CutRequest,
  CutResponse,
  CutSettings,
  DocumentList,
  ShownDocument,
} from "../../server/studio/wire/index.js";
import { type ChunkerName, chunkerNames, isLocal } from "../chunk-document.js";
import type { KnowledgeBase } from "../knowledge-base/knowledge-base.js";
import type { IndexJob } from "./index-job.js";
import type { OpenKnowledge } from "./open-knowledge.js";

/** More than these no page can hold, and no person look at. */
const MOST_CHUNKS = 50_000;

/** Documents that were shown last stay read: each move of a slider cuts one of them again. */
const KEPT_DOCUMENTS = 4;

/** Other requests wait no longer than this for one that cuts. */
const BREATH_MS = 15;

export class Documents implements DocumentsService {
  readonly #knowledge: OpenKnowledge;
  readonly #job: IndexJob;
  /** Latest last. */
  #kept: readonly Document[] = [];

  constructor(knowledge: OpenKnowledge, job: IndexJob) {
    this.#knowledge = knowledge;
    this.#job = job;
  }

  async list(): Promise<DocumentList> {
    const knowledge = await this.#knowledge.get();
    const chunkers = chunkerNames.map((name) => {
      const needsEmbedder = !isLocal(name);
      return { name, needsEmbedder, isOffered: !needsEmbedder || knowledge.embedder !== undefined };
    });
    return { documents: await this.#knowledge.documents(), chunkers };
  }

  async show(path: string): Promise<ShownDocument> {
    const knowledge = await this.#knowledge.get();
    const document = await this.#read(knowledge, path);
    const { text, hash, mediaType, pageStarts } = document;
    const indexed = await knowledge.store.chunks(path);
    const hasChanged = indexed.some((chunk) => text.slice(chunk.start, chunk.end) !== chunk.text);
    const chunks = hasChanged ? await take(knowledge.cut(document)) : await take(indexed);
    const pages = pageStarts && { numPages: pageStarts.length };
    return { path, text, hash, mediaType, ...pages, hasChanged, chunks };
  }

  async cut({ path, hash, ...settings }: CutRequest, signal: AbortSignal): Promise<CutResponse> {
    const knowledge = await this.#knowledge.get();
    const kept = this.#kept.find((document) => document.path === path && document.hash === hash);
    const document = kept ?? (await this.#read(knowledge, path));
    if (document.hash !== hash) throw new Refusal(409, `${path} has changed since it was opened; open it again`);
    const chunker = chunkerOf(settings);
    try {
      return { chunks: await take(knowledge.cut(document, { ...settings, chunker }), signal) };
    } catch (thrown) {
      if (thrown instanceof ConfigError || thrown instanceof CapacityError) throw new Refusal(400, thrown.message);
      throw thrown;
    }
  }

  reindex(cutting: Parameters<DocumentsService["reindex"]>[0]): void {
    this.#job.start({ ...cutting, chunker: chunkerOf(cutting) });
  }

  async #read(knowledge: KnowledgeBase, path: string): Promise<Document> {
    const document = await knowledge.document(path);
    if (!document) {
      throw new Refusal(
        404,
        `there is no document ${JSON.stringify(path)}: it is not in the index, or its file is gone; choose one of the list`,
        "path",
      );
    }
    this.#kept = [...this.#kept.filter((kept) => kept.path !== path), document].slice(-KEPT_DOCUMENTS);
    return document;
  }
}

function chunkerOf({ chunker }: CutSettings): ChunkerName | undefined {
  if (chunker === undefined || isChunker(chunker)) return chunker;
  throw new Refusal(400, `chunker: there is no ${chunker}; choose one of ${chunkerNames.join(", ")}`, "chunker");
}

const isChunker = (name: string): name is ChunkerName => (chunkerNames as string[]).includes(name);

/** The places of chunks. @throws Refusal 400 where there are too many. */
async function take(chunks: Iterable<Chunk> | AsyncIterable<Chunk>, signal?: AbortSignal): Promise<CutChunk[]> {
  const taken: CutChunk[] = [];
  let breath = performance.now();
  for await (const { start, end, numTokens, headingPath, page, parent } of chunks) {
    if (taken.length === MOST_CHUNKS) {
      const most = MOST_CHUNKS.toLocaleString("en-US");
      throw new Refusal(400, `these are more than ${most} chunks, too many to show; raise the tokens`, "maxTokens");
    }
    const places = { ...(page !== undefined && { page }), ...(parent && { parent }) };
    taken.push({ start, end, numTokens, headingPath, ...places });
    if (performance.now() - breath < BREATH_MS) continue;
    await setImmediate();
    if (signal?.aborted) throw new Refusal(409, "nobody waits for these chunks any more");
    breath = performance.now();
  }
  return taken;
}
