/** @file The index of a folder as the Studio reads it. */

import { existsSync } from "node:fs";
import { messageOf } from "../../base/errors.js";
import type { StoredChunk } from "../../retrieval/index.js";
import { Refusal } from "../../server/refusal.js";
import type { LiveState } from "../../server/studio/live-state.js";
import type { DocumentEntry, IndexFacts } from "../../server/studio/wire/index.js";
import { pickTopics } from "../../server/topics.js";
import { KnowledgeBase } from "../knowledge-base/knowledge-base.js";
import type { Workspace } from "../workspace.js";

/** The index as it is read here, while jobs write it in processes of their own. */
export class OpenKnowledge {
  #opened: Promise<KnowledgeBase> | undefined;
  /** The one before: requests may still be reading it. */
  #retired: Promise<KnowledgeBase> | undefined;
  #documents: readonly DocumentEntry[] | undefined;

  constructor(
    readonly folder: string,
    readonly workspace: Workspace,
  ) {}

  /** @throws Refusal 409 while nothing is indexed. */
  async get(): Promise<KnowledgeBase> {
    const knowledge = await this.#open();
    if ((await knowledge.store.count()) > 0) return knowledge;
    throw new Refusal(409, "the folder is not indexed yet; start the job, or wait until it has cut the documents");
  }

  /** Reads the index anew after it was written, and tells every page of it. */
  async reread(live: LiveState): Promise<void> {
    await closed(this.#retired);
    this.#retired = this.#opened;
    this.#opened = undefined;
    const index = await this.facts();
    if (index) live.change({ index });
  }

  /** The same; where it cannot be read, pages are told why. */
  async follow(live: LiveState): Promise<void> {
    try {
      await this.reread(live);
    } catch (thrown) {
      live.change({ indexing: { status: "failed", error: messageOf(thrown) } });
    }
  }

  /** Undefined where nothing was indexed yet. */
  async facts(): Promise<IndexFacts | undefined> {
    // what is not there is not made by looking at it
    if (!existsSync(this.workspace.path("knowledge"))) return undefined;
    const knowledge = await this.#open();
    const { store, settings } = knowledge;
    const { chunker, maxTokens, overlapTokens, code } = settings;
    const documents: DocumentEntry[] = [];
    const places: Pick<StoredChunk, "path" | "headingPath">[] = [];
    for (const path of [...(await store.documents()).keys()].sort()) {
      const own = await store.chunks(path);
      documents.push({ path, numChunks: own.length });
      for (const { headingPath } of own) places.push({ path, headingPath });
    }
    this.#documents = documents;
    if (documents.length === 0) return undefined;
    return {
      numDocuments: documents.length,
      numChunks: places.length,
      embedder: settings.embedder,
      cutting: { ...(chunker && { chunker }), maxTokens, overlapTokens, code },
      skipped: await knowledge.skipped(),
      topics: pickTopics(places),
    };
  }

  /** Every indexed document with the number of its chunks, as when the facts were read last. */
  async documents(): Promise<readonly DocumentEntry[]> {
    if (!this.#documents) await this.facts();
    return this.#documents ?? [];
  }

  async close(): Promise<void> {
    const all = [this.#opened, this.#retired];
    this.#opened = undefined;
    this.#retired = undefined;
    for (const one of all) await closed(one);
  }

  #open(): Promise<KnowledgeBase> {
    this.#opened ??= KnowledgeBase.open(this.folder, { workspace: this.workspace.root });
    return this.#opened;
  }
}

const closed = async (knowledge: Promise<KnowledgeBase> | undefined): Promise<void> =>
  (await knowledge?.catch(() => undefined))?.close();
