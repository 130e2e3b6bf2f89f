/** @file What `tessera chunk --auto` chooses on Chroma's corpora without having seen their questions, beside 512 tokens with 50 of overlap. */

import { existsSync, readFileSync } from "node:fs";
import { estimatedTokens as counter } from "../../src/chunk/index.js";
import type { Document } from "../../src/documents/index.js";
import {
  type ChunkTrial,
  evaluateChunking,
  makeQuestions,
  searchChunking,
  usualTrials,
} from "../../src/pipeline/retrieval-eval/index.js";
import { type Benchmark, compared, type Figure } from "../bench.js";
import { CORPORA, readQuestions } from "./chunk-eval.bench.js";

const SHARED = new URL("../../../shared/data/data-chunking-eval/", import.meta.url);
/** As of the command. */
const BUDGET_TOKENS = 1024;
const USUAL: ChunkTrial = { chunker: "recursive", maxTokens: 512, overlapTokens: 50 };

export const chunkAuto: Benchmark = {
  name: "chunk-auto",
  about: "the way to cut that made questions choose, on the 472 questions of Chroma's evaluation, in 1,024 tokens",
  async run({ log }) {
    if (!existsSync(SHARED)) {
      log("../shared/data/data-chunking-eval is absent: nothing to evaluate on");
      return [];
    }
    const questions = readQuestions();
    const figures: Figure[] = [];
    for (const path of CORPORA) {
      const text = readFileSync(new URL(`corpora/${path}.md`, SHARED), "utf8");
      const document: Document = { kind: "document", path, text, mediaType: "text/markdown", hash: "", numBytes: 0 };
      const budget = {
        tokens: BUDGET_TOKENS,
        count: ({ start, end }: { start: number; end: number }) => counter.count(text, start, end),
      };
      const made = makeQuestions([document], { counter });
      const [best] = await searchChunking([document], made, { trials: usualTrials(), counter, budget });
      const { chunker, maxTokens, overlapTokens } = best!;
      const chosen: ChunkTrial = { ...(chunker && { chunker }), maxTokens, overlapTokens };
      const own = questions.filter(({ references }) => references[0]!.document === path);
      const recall = async (trial: ChunkTrial) =>
        (await evaluateChunking([document], own, trial, { counter, budget })).recall;
      const name = `${path}: ${chunker} ${maxTokens}/${overlapTokens}, recall`;
      log(`  ${name}`);
      const peer = { value: await recall(USUAL), name: "recursive 512/50" };
      figures.push(compared(name, "share", await recall(chosen), peer));
    }
    return figures;
  },
};
