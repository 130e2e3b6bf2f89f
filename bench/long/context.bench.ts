/** @file Whether the answer to a question is still there once a document was brought under a budget (XQuAD, Artetxe et al. 2020, arXiv:1910.11856). */

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { type ContextStrategyName, contextStrategies } from "../../src/long/index.js";
import { type Tokenizer, trainByteLevelBpe } from "../../src/tokenizers/index.js";
import { type Benchmark, type Figure, plain } from "../bench.js";

const fileSchema = z.object({
  data: z.array(
    z.object({
      paragraphs: z.array(
        z.object({
          context: z.string(),
          qas: z.array(
            z.object({
              question: z.string(),
              answers: z.array(z.object({ answer_start: z.number(), text: z.string() })),
            }),
          ),
        }),
      ),
    }),
  ),
});

interface Question {
  readonly question: string;
  /** Where the answer stands in the document. */
  readonly start: number;
  readonly end: number;
}

interface Document {
  readonly text: string;
  readonly questions: readonly Question[];
}

type Paragraphs = z.output<typeof fileSchema>["data"][number]["paragraphs"];

/** Paragraphs in a row as one document. */
function documentOf(paragraphs: Paragraphs): Document {
  const questions: Question[] = [];
  let text = "";
  for (const { context, qas } of paragraphs) {
    const base = text.length;
    for (const { question, answers } of qas) {
      // the files count code points
      const [answer] = answers;
      const start = base + [...context].slice(0, answer!.answer_start).join("").length;
      questions.push({ question, start, end: start + answer!.text.length });
    }
    text += `${context}\n\n`;
  }
  return { text, questions };
}

type Way = ContextStrategyName | "beginning";

/** Stretches that are kept. */
async function kept(way: Way, { text }: Document, { question }: Question, budget: number, counter: Tokenizer) {
  if (way === "beginning") return [{ start: 0, end: counter.truncate(text, 0, text.length, budget) }];
  const packing = await contextStrategies[way].pack({ document: text, question, budget, counter, format: "plain" });
  if (packing && packing.numTokens > budget) throw new Error(`${way} has ${packing.numTokens} of ${budget} tokens`);
  return packing?.spans ?? [];
}

/** The share of answers that are kept whole. */
async function share(way: Way, documents: readonly Document[], budget: number, counter: Tokenizer): Promise<number> {
  let [found, all] = [0, 0];
  for (const document of documents) {
    for (const question of document.questions) {
      const spans = await kept(way, document, question, budget, counter);
      if (spans.some(({ start, end }) => start <= question.start && question.end <= end)) found++;
      all++;
    }
  }
  return found / all;
}

const languages = { en: "English", es: "Spanish", zh: "Chinese" };

export const context: Benchmark = {
  name: "context",
  about:
    "share of answers that are left under a budget of tokens; an argument names the folder of xquad.<language>.json",
  async run({ log, args: [folder = "../shared/data/data-xquad"] }) {
    const figures: Figure[] = [];
    for (const [code, language] of Object.entries(languages)) {
      const { data } = fileSchema.parse(JSON.parse(await readFile(`${folder}/xquad.${code}.json`, "utf8")));
      const articles = data.map(({ paragraphs }) => documentOf(paragraphs));
      const all = documentOf(data.flatMap(({ paragraphs }) => paragraphs));
      const counter = trainByteLevelBpe([all.text], { vocabSize: 8192, specialTokens: [], pretokenizer: "gpt2" });
      // one question in twelve of the long document, to end in minutes
      const some = { ...all, questions: all.questions.filter((_, i) => i % 12 === 0) };
      const sets = [
        { name: "article", documents: articles, budgets: [128, 256, 512] },
        { name: "all articles", documents: [some], budgets: [256, 1024] },
      ];
      for (const { name, documents, budgets } of sets) {
        const tokens = documents.reduce((sum, { text }) => sum + counter.count(text), 0) / documents.length;
        log(`${language}, ${name}: ${Math.round(tokens)} tokens on average`);
        for (const budget of budgets) {
          for (const way of ["beginning", "retrieve", "compress"] as const) {
            const value = await share(way, documents, budget, counter);
            log(`  ${way} under ${budget}: ${value.toFixed(3)}`);
            figures.push(plain(`${language}, ${name} in ${budget} tokens: ${way}`, "share", value));
          }
        }
      }
    }
    return figures;
  },
};
