/** @file A finished job as the service that the server offers. */

import { basename, resolve } from "node:path";
import { Generator } from "../engine/index.js";
import type { Store, StoredChunk } from "../retrieval/index.js";
import type { KnowledgeService, TextEnd, TextOptions } from "../server/service.js";
import { pickTopics } from "../server/topics.js";
import type { Corpus } from "./corpus.js";
import type { UpResult } from "./up.js";

/** Opens the model for generation and gives the service over it and the index. */
export async function openKnowledge(result: UpResult): Promise<KnowledgeService> {
  const { report, runtime, store, corpus, codec, model, weights } = result;
  const contextLength = Math.min(model.maxPositions, 2048);
  const generator = await Generator.create(runtime, model, weights, { contextLength });
  const texts = new Map(corpus.documents.map(({ path, text }) => [path, text]));
  const { tokenizer, marks } = codec;
  const stopIds = new Set(marks.suffix);

  async function* complete(prompt: string, options: TextOptions): AsyncGenerator<string, TextEnd> {
    const room = Math.max(1, contextLength - options.maxTokens - marks.prefix.length - 1);
    const promptIds = tokenizer.encode(prompt);
    const ids = Int32Array.from([...marks.prefix, ...promptIds.slice(-room)]);
    const decoder = tokenizer.streamDecoder();
    for (const id of ids) decoder.push(id);
    let numTokens = 0;
    for await (const id of generator.generate(ids, { ...options, stopIds })) {
      numTokens++;
      const text = decoder.push(id);
      if (text !== "") yield text;
    }
    const rest = decoder.flush();
    if (rest !== "") yield rest;
    return { numPromptTokens: ids.length, numDroppedTokens: Math.max(0, promptIds.length - room), numTokens };
  }

  return {
    folder: basename(resolve(report.folder)),
    numDocuments: report.plan.documents,
    numChunks: report.plan.chunks,
    model: {
      origin: report.plan.origin,
      numParameters: report.plan.tuning.numParameters,
      weights: report.served.format,
      perplexityBefore: report.tuning.perplexityBefore,
      perplexityAfter: report.tuning.perplexityServed,
      contextLength,
    },
    topics: pickTopics(await chunksInOrder(store, corpus)),
    search: (question, limit) => store.query({ text: question, limit }),
    document: async (path) => texts.get(path),
    complete,
  };
}

async function chunksInOrder(store: Store, { documents }: Corpus): Promise<StoredChunk[]> {
  const chunks = [];
  for (const { path } of documents) chunks.push(...(await store.chunks(path)));
  return chunks;
}
