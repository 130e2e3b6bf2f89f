/** @file Conversations scored: whether follow-up questions find what they are about, with and without what was asked before. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AskOptions } from "../../../src/pipeline/knowledge-base/answer.js";
import { KnowledgeBase } from "../../../src/pipeline/knowledge-base/knowledge-base.js";
import { followUp } from "../../../src/retrieval/index.js";
import { type Figure, plain } from "../../bench.js";
import { holdsAnswer, paragraphPath, writeParagraphs, xquad } from "../material.js";
import { dialogues } from "./fastify-dialogues.js";
import { fastifyDocs, Places } from "./places.js";
import { followUpPairs } from "./xquad-dialogues.js";

/** Every so-manieth pair of XQuAD: pairs from the first one on were used for the choice of a rule, those from the third are held out. */
const EVERY = 4;

/** Passages that are looked at. */
const PASSAGES = 5;

/** How much of a conversation a question is searched with. */
const ways = {
  "by itself": (): string | undefined => undefined,
  "with what was asked before": followUp,
} satisfies Record<string, (question: string, before: readonly string[]) => string | undefined>;

export async function conversationFigures(half: 0 | 1, log: (message: string) => void): Promise<Figure[]> {
  const root = await mkdtemp(join(tmpdir(), "tessera-conversations-"));
  try {
    log("  conversations");
    const figures = await fastifyFigures(join(root, "fastify"), half);
    for (const language of ["en", "zh"]) {
      log(`  conversations, ${language}`);
      figures.push(...(await xquadFigures(join(root, language), language, half)));
    }
    return figures;
  } finally {
    await rm(root, { recursive: true });
  }
}

async function fastifyFigures(workspace: string, half: 0 | 1): Promise<Figure[]> {
  await using knowledge = await KnowledgeBase.open(fastifyDocs, { workspace });
  await knowledge.sync();
  const places = new Places();
  const own = dialogues.filter(({ isForTuning }) => isForTuning === (half === 0));
  const figures: Figure[] = [];
  for (const [way, standalone] of Object.entries(ways)) {
    const counts = { first: 0, any: 0, all: 0 };
    for (const { turns } of own) {
      for (const [i, { question, places: gold }] of turns.entries()) {
        if (i === 0) continue;
        const before = turns.slice(0, i).map((turn) => turn.question);
        const { retrieved } = await knowledge.ask(question, optionsOf(standalone(question, before)));
        const hits = retrieved.passages.map(({ chunk }) => places.meets(gold, chunk));
        counts.all++;
        if (hits[0]) counts.first++;
        if (hits.includes(true)) counts.any++;
      }
    }
    const what = `${counts.all} follow-ups to Fastify's documentation, ${way}`;
    figures.push(
      plain(`${what}: the first passage is of the section`, "share", counts.first / counts.all),
      plain(`${what}: one of five is`, "share", counts.any / counts.all),
    );
  }
  return figures;
}

const optionsOf = (standalone: string | undefined): AskOptions => ({
  passages: PASSAGES,
  ...(standalone !== undefined && { standalone }),
});

async function xquadFigures(root: string, language: string, half: 0 | 1): Promise<Figure[]> {
  const material = xquad(language);
  const folder = join(root, "paragraphs");
  await writeParagraphs(folder, material.paragraphs);
  await using knowledge = await KnowledgeBase.open(folder, { workspace: join(root, "workspace") });
  await knowledge.sync();
  const all = followUpPairs(material);
  const pairs = all.filter((_, i) => i % EVERY === 2 * half);
  const forms = {
    "what both are about left out": pairs.map((pair) => ({ ...pair, question: pair.dropped })),
    "asked as they are": pairs.map((pair) => ({ ...pair, question: pair.whole })),
    "after a question about something else": pairs.map((pair) => {
      const other = all[((all.indexOf(pair) + all.length / 2) % all.length) | 0]!;
      return { ...pair, question: pair.whole, first: other.first };
    }),
  };
  const figures: Figure[] = [];
  for (const [form, asked] of Object.entries(forms)) {
    for (const [way, standalone] of Object.entries(ways)) {
      const counts = { first: 0, any: 0, quote: 0, quotes: 0 };
      for (const { question, first, paragraph, answer } of asked) {
        const { answer: given, retrieved } = await knowledge.ask(question, optionsOf(standalone(question, [first])));
        const hits = retrieved.passages.map(({ chunk }) => chunk.path === paragraphPath(paragraph));
        const quotes = given.statements
          .flatMap((statement) => statement.quotes)
          .map((quote) => holdsAnswer(quote, { paragraph, answer }));
        if (hits[0]) counts.first++;
        if (hits.includes(true)) counts.any++;
        if (quotes[0]) counts.quote++;
        if (quotes.includes(true)) counts.quotes++;
      }
      const what = `${language}: ${asked.length} second questions of XQuAD, ${form}, ${way}`;
      figures.push(
        plain(`${what}: the first passage is of the paragraph`, "share", counts.first / asked.length),
        plain(`${what}: one of five is`, "share", counts.any / asked.length),
        plain(`${what}: the first quote holds the answer`, "share", counts.quote / asked.length),
        plain(`${what}: one of three does`, "share", counts.quotes / asked.length),
      );
    }
  }
  return figures;
}
