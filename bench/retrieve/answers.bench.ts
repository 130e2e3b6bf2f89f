/** @file Answers: whether the quotes of `tessera ask` hold what XQuAD's questions ask for, and are none where nothing does. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Quote } from "../../src/answer/index.js";
import { KnowledgeBase } from "../../src/pipeline/knowledge-base/knowledge-base.js";
import { type Benchmark, type Figure, plain } from "../bench.js";
import { answered, unanswered } from "./fastify-questions.js";
import { type LabelledQuestion, xquad } from "./material.js";

export const answersBench: Benchmark = {
  name: "answers",
  about:
    "quotes of tessera ask on XQuAD (en, zh, es) and on real documentation (docs): does the first, does any of three hold the answer",
  async run({ log, args }) {
    const figures: Figure[] = [];
    for (const language of args.length > 0 ? args : ["en", "zh", "es", "docs"]) {
      log(`  ${language}`);
      const folder = await mkdtemp(join(tmpdir(), "tessera-answers-"));
      try {
        figures.push(...(await (language === "docs" ? measuredOnDocs(folder) : measured(folder, language))));
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
  await mkdir(folder);
  const paths = paragraphs.map((_, i) => `${i}.txt`);
  for (const [i, text] of paragraphs.entries()) await writeFile(join(folder, paths[i]!), text);
  await using knowledge = await KnowledgeBase.open(folder, { workspace: join(root, "workspace") });
  await knowledge.sync();
  const figures: Figure[] = [];
  for (const by of ["text", "hybrid"] as const) {
    const counts = { first: 0, any: 0, silent: 0, refused: 0, characters: 0 };
    for (const question of questions) {
      const quotes = await quotesOf(knowledge, question.question, { by });
      if (quotes[0] && holds(quotes[0], question)) counts.first++;
      if (quotes.some((quote) => holds(quote, question))) counts.any++;
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

/** Questions of our own to the documentation of Fastify. */
async function measuredOnDocs(workspace: string): Promise<Figure[]> {
  await using knowledge = await KnowledgeBase.open(fastifyDocs, { workspace });
  await knowledge.sync();
  const counts = { first: 0, any: 0, found: 0, silent: 0, characters: 0 };
  for (const { question, path, answers } of answered) {
    const { answer, retrieved } = await knowledge.ask(question);
    const quotes = answer.statements.flatMap((statement) => statement.quotes);
    const isRight = (one: Pick<Quote, "path" | "start" | "end">): boolean =>
      one.path === path && answers.some(([start, end]) => one.start <= start && one.end >= end);
    if (quotes[0] && isRight(quotes[0])) counts.first++;
    if (quotes.some(isRight)) counts.any++;
    if (retrieved.passages.some(({ chunk }) => isRight(chunk))) counts.found++;
    if (quotes.length === 0) counts.silent++;
    counts.characters += quotes[0]?.text.length ?? 0;
  }
  let refused = 0;
  for (const question of unanswered)
    if ((await quotesOf(knowledge, question, { by: "hybrid" })).length === 0) refused++;
  const share = (count: number): number => count / answered.length;
  return [
    plain("docs: the answer stands in the first quote", "", share(counts.first)),
    plain("docs: the answer stands in one of three quotes", "", share(counts.any)),
    plain("docs: the answer stands in one of the eight passages", "", share(counts.found)),
    plain("docs: no quote though the answer is there", "", share(counts.silent)),
    plain("docs: no quote where the documents do not say", "", refused / unanswered.length),
    plain("docs: mean length of the first quote", "characters", counts.characters / (answered.length - counts.silent)),
  ];
}

const fastifyDocs = fileURLToPath(new URL("../../../shared/data/data-fastify-docs", import.meta.url));

async function quotesOf(
  knowledge: KnowledgeBase,
  question: string,
  options: { readonly by: "text" | "hybrid"; readonly paths?: readonly string[] },
): Promise<Quote[]> {
  const { answer } = await knowledge.ask(question, options);
  return answer.statements.flatMap(({ quotes }) => quotes);
}

const holds = ({ path, start, end }: Quote, { paragraph, answer }: LabelledQuestion): boolean =>
  path === `${paragraph}.txt` && start <= answer.start && end >= answer.end;
