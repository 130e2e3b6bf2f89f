/** @file `tessera chunk --auto`: the best way to cut, found on the user's own documents. */

import { counterAt } from "../../pipeline/knowledge-base/settings.js";
import {
  embeddingTrials,
  type LabelledQuestion,
  makeQuestions,
  readQuestions,
  searchChunking,
  usualTrials,
} from "../../pipeline/retrieval-eval/index.js";
import { type CuttingFlags, embedderOf } from "../cutting-options.js";
import { allDocuments } from "../documents-of.js";
import { plural } from "../format.js";
import { trialTable } from "../retrieval-text.js";

interface Flags extends CuttingFlags {
  readonly json?: boolean;
  readonly questions?: string;
  readonly budget: number;
}

/** Prints what was tried, best first, and the options that choose the best. */
export async function chooseChunking(path: string, flags: Flags): Promise<void> {
  const documents = await allDocuments(path);
  const counter = counterAt(flags.tokenizer);
  const embedder = await embedderOf(flags);
  const questions: LabelledQuestion[] =
    flags.questions === undefined
      ? makeQuestions(documents, { counter })
      : await readQuestions(flags.questions, documents);
  const texts = new Map(documents.map(({ path: name, text }) => [name, text]));
  const trials =
    flags.chunker === undefined
      ? [...usualTrials(), ...(embedder ? embeddingTrials() : [])]
      : usualTrials([flags.chunker]);
  console.error(
    `${plural(documents.length, "document")}, ${plural(questions.length, "question")}, ${plural(trials.length, "way")} to cut`,
  );
  const results = await searchChunking(documents, questions, {
    trials,
    counter,
    budget: {
      tokens: flags.budget,
      count: ({ document, start, end }) => counter.count(texts.get(document)!, start, end),
    },
    ...(embedder && { embedder }),
  });
  await embedder?.close?.();
  if (flags.json)
    return console.log(JSON.stringify({ budgetTokens: flags.budget, numQuestions: questions.length, results }));
  const [best] = results;
  const made = flags.questions === undefined ? "made from the documents" : `of ${flags.questions}`;
  console.log(
    `what ${plural(questions.length, "question")} ${made} find in ${flags.budget} tokens, by ${embedder?.model ?? "BM25"}, in percent\n`,
  );
  console.log(trialTable(results));
  console.log(
    `\nmost recall: --chunker ${best!.chunker} --max-tokens ${best!.maxTokens} --overlap ${best!.overlapTokens}`,
  );
}
