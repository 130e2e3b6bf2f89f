/** @file Questions scored: quotes that lie in the section that answers, and say it. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KnowledgeBase } from "../../../src/pipeline/knowledge-base/knowledge-base.js";
import { type Figure, plain } from "../../bench.js";
import { questions } from "./fastify-questions.js";
import { fastifyDocs, Places } from "./places.js";

export async function questionFigures(log: (message: string) => void): Promise<Figure[]> {
  const workspace = await mkdtemp(join(tmpdir(), "tessera-questions-"));
  try {
    await using knowledge = await KnowledgeBase.open(fastifyDocs, { workspace });
    await knowledge.sync();
    const places = new Places();
    const counts = { first: 0, any: 0, firstSays: 0, anySays: 0 };
    for (const { question, places: gold, says } of questions) {
      const { answer } = await knowledge.ask(question);
      const quotes = answer.statements.flatMap((statement) => statement.quotes);
      const isIn = quotes.map((quote) => places.holds(gold, quote));
      const isSaid = quotes.map((quote, i) => isIn[i]! && says.test(quote.text));
      if (isIn[0]) counts.first++;
      if (isIn.includes(true)) counts.any++;
      if (isSaid[0]) counts.firstSays++;
      if (isSaid.includes(true)) counts.anySays++;
      else log(`  not said: ${question}`);
    }
    const share = (count: number): number => count / questions.length;
    return [
      plain("questions: the first quote lies in a section that answers", "share", share(counts.first)),
      plain("questions: one of three quotes does", "share", share(counts.any), { atLeast: 0.8 }),
      plain("questions: the first quote says the answer, and lies there", "share", share(counts.firstSays)),
      plain("questions: one of three quotes does both", "share", share(counts.anySays), { atLeast: 0.8 }),
    ];
  } finally {
    await rm(workspace, { recursive: true });
  }
}
