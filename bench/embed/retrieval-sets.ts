/** @file Labelled searches: queries, the passages they are searched in, and which of these are right. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { recursive, type TokenCounter } from "../../src/chunk/index.js";
import { CORPORA, readQuestions } from "../chunk/chunk-eval.bench.js";
import { corpus, xquad } from "../retrieve/material.js";

export interface RetrievalSet {
  readonly name: string;
  readonly passages: readonly string[];
  readonly queries: readonly string[];
  /** For each query the passages that answer it, each with its share of the answer; the shares add up to 1 at most. */
  readonly right: readonly ReadonlyMap<number, number>[];
}

/** XQuAD (Artetxe et al. 2020, arXiv:1910.11856): each question's paragraph among the 240. */
export function xquadSet(language: "en" | "zh" | "es"): RetrievalSet {
  const { paragraphs, questions } = xquad(language);
  return {
    name: `xquad-${language}`,
    passages: paragraphs,
    queries: questions.map(({ question }) => question),
    right: questions.map(({ paragraph }) => new Map([[paragraph, 1]])),
  };
}

/** Titles of the corpus's held-out documents, and the first passage under each. */
export function heldOutTitles(counter: TokenCounter): RetrievalSet {
  const found = [...corpus("heldout-")].flatMap(({ title, text }) => {
    // the title itself is not to be found, but what stands under it
    const body = text.replace(/^\s*#[^\n]*\n/, "");
    const [first] = recursive.chunk(body, { counter, maxTokens: 160 });
    return first ? [{ title, passage: first.text }] : [];
  });
  return {
    name: "held-out titles",
    passages: found.map(({ passage }) => passage),
    queries: found.map(({ title }) => title),
    right: found.map((_, i) => new Map([[i, 1]])),
  };
}

/** The 472 questions of the chunking evaluation (Smith and Troynikov 2024), in recursive chunks of all five corpora. */
export async function chunkingEval(shared: string, counter: TokenCounter, maxTokens = 200): Promise<RetrievalSet> {
  const chunks: { document: string; start: number; end: number; text: string }[] = [];
  for (const document of CORPORA) {
    const text = await readFile(join(shared, "data-chunking-eval", "corpora", `${document}.md`), "utf8");
    for (const chunk of recursive.chunk(text, { counter, maxTokens })) chunks.push({ document, ...chunk });
  }
  const questions = readQuestions();
  const right = questions.map(({ references }) => {
    const length = references.reduce((sum, { start, end }) => sum + end - start, 0);
    const shares = chunks.map((chunk) =>
      references
        .filter(({ document }) => document === chunk.document)
        .reduce((sum, { start, end }) => sum + Math.max(0, Math.min(end, chunk.end) - Math.max(start, chunk.start)), 0),
    );
    return new Map(shares.flatMap((share, i) => (share > 0 ? [[i, share / length] as const] : [])));
  });
  return {
    name: "chunking-eval",
    passages: chunks.map(({ text }) => text),
    queries: questions.map(({ question }) => question),
    right,
  };
}
