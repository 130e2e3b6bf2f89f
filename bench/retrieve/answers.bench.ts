/** @file Answers: whether the quotes of `tessera ask` hold what XQuAD's questions ask for, and are none where nothing does. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Quote } from "../../src/answer/index.js";
import { KnowledgeBase } from "../../src/pipeline/knowledge-base/knowledge-base.js";
import { type Benchmark, type Figure, plain } from "../bench.js";
import { holdsAnswer, paragraphPath, writeParagraphs, xquad } from "./material.js";

export const answersBench: Benchmark = {
  name: "answers",
  about: "quotes of tessera ask on XQuAD (en, zh, es): does the first, does any of three hold the answer",
  async run({ log, args }) {
    const figures: Figure[] = [];
    for (const language of args.length > 0 ? args : ["en", "zh", "es"]) {
      log(`  ${language}`);
      const folder = await mkdtemp(join(tmpdir(), "tessera-answers-"));
      try {
        figures.push(...(await measured(folder, language)));
      } finally {
        await rm(folder, { recursive: true });
      }
    }
    return figures;
  },
};

async function measured(root: string, language: string): Promise<Figure[]> {
  const { paragraphs, questions } = xquad(language);
  const folder = join(root, "paragraphs");
  await writeParagraphs(folder, paragraphs);
  const paths = paragraphs.map((_, i) => paragraphPath(i));
  await using knowledge = await KnowledgeBase.open(folder, { workspace: join(root, "workspace") });
  await knowledge.sync();
  const figures: Figure[] = [];
  for (const by of ["text", "hybrid"] as const) {
    const counts = { first: 0, any: 0, silent: 0, refused: 0, characters: 0 };
    for (const question of questions) {
      const quotes = await quotesOf(knowledge, question.question, { by });
      if (quotes[0] && holdsAnswer(quotes[0], question)) counts.first++;
      if (quotes.some((quote) => holdsAnswer(quote, question))) counts.any++;
      if (quotes.length === 0) counts.silent++;
      counts.characters += quotes[0]?.text.length ?? 0;
      const others = paths.filter((_, i) => i !== question.paragraph);
      if ((await quotesOf(knowledge, question.question, { by, paths: others })).length === 0) counts.refused++;
    }
    const share = (count: number): number => count / questions.length;
    figures.push(
      plain(`${language}, ${by}: the answer stands in the first quote`, "", share(counts.first)),
      plain(`${language}, ${by}: the answer stands in one of three quotes`, "", share(counts.any)),
      plain(`${language}, ${by}: no quote though the answer is there`, "", share(counts.silent)),
      plain(`${language}, ${by}: no quote where its paragraph is not searched`, "", share(counts.refused)),
      plain(
        `${language}, ${by}: mean length of the first quote`,
        "characters",
        counts.characters / (questions.length - counts.silent),
      ),
    );
  }
  return figures;
}

async function quotesOf(
  knowledge: KnowledgeBase,
  question: string,
  options: { readonly by: "text" | "hybrid"; readonly paths?: readonly string[] },
): Promise<Quote[]> {
  const { answer } = await knowledge.ask(question, options);
  return answer.statements.flatMap(({ quotes }) => quotes);
}
