/** @file `tessera ask <folder> <question>`: an answer from a folder's documents, each claim with its place in them. */

import { Command, Option } from "commander";
import { answerPrompt } from "../../answer/index.js";
import { DataError } from "../../base/errors.js";
import { usualAnswerTokens } from "../../long/index.js";
import { type AskOptions, KnowledgeBase } from "../../pipeline/knowledge-base/knowledge-base.js";
import type { Passage } from "../../retrieval/index.js";
import { addPlaceOptions, type PlaceFlags, placeOf } from "../index-options.js";
import { answerText, indexText, skippedText, traceText } from "../knowledge-text.js";
import {
  addModelOptions,
  addSamplingOptions,
  type ModelFlags,
  openModelHere,
  readingModelOf,
  type SamplingFlags,
} from "../model-options.js";
import { parseInteger } from "../options.js";

interface Flags extends PlaceFlags, ModelFlags, SamplingFlags {
  readonly quotes: number;
  readonly passages: number;
  readonly by?: "text" | "vector" | "hybrid";
  readonly model?: string;
  readonly trace?: boolean;
  readonly sync: boolean;
  readonly json?: boolean;
}

export const askCommand = addSamplingOptions(
  addModelOptions(
    addPlaceOptions(
      new Command("ask")
        .description("answer a question from the documents of a folder, in quotes that are checked against them")
        .argument(
          "<folder>",
          "folder of documents, or one document; it is indexed first where it is not or has changed",
        )
        .argument("<question...>", "what to find out"),
    ),
  ),
)
  .option("--quotes <count>", "most quotes of an answer without a model", parseInteger(1, 100), 3)
  .option("--passages <count>", "passages that are looked at", parseInteger(1, 1000), 8)
  .addOption(
    new Option("--by <search>", "what is searched (default: hybrid where the index has vectors)").choices([
      "text",
      "vector",
      "hybrid",
    ]),
  )
  .option("--model <model>", "let a model write the answer; what it quotes is checked (default: quotes alone)")
  .option("--trace", "say which passages were considered, and why")
  .option("--no-sync", "ask the index as it is, without a look at the folder")
  .option("--json", "print answer, quotes and passages as JSON")
  .action(run);

async function run(folder: string, words: readonly string[], flags: Flags): Promise<void> {
  const question = words.join(" ").trim();
  if (question === "") throw new DataError("ask: the question is empty; write what to find out");
  await using knowledge = await KnowledgeBase.open(folder, placeOf(flags));
  if (flags.sync) {
    const report = await knowledge.sync();
    if (report.chunks > 0 || report.removed > 0) console.error(indexText(report, knowledge.embedder?.model));
    if (report.skipped.length > 0) console.error(skippedText(report.skipped));
  }
  const { passages, by, quotes: limit } = flags;
  const options: AskOptions = { passages, limit, ...(by && { by }) };
  const { answer, retrieved } = await (flags.model === undefined
    ? knowledge.ask(question, options)
    : askModel(knowledge, question, options, flags.model, flags));
  if (flags.json) {
    console.log(JSON.stringify({ question, ...answer, passages: retrieved.passages.map(withoutVector) }));
    return;
  }
  console.log(answerText(answer));
  if (flags.trace) console.log(`\nconsidered:\n${traceText(retrieved.passages)}`);
}

async function askModel(knowledge: KnowledgeBase, question: string, options: AskOptions, model: string, flags: Flags) {
  await using service = await openModelHere(model, flags);
  const reading = readingModelOf(service, flags);
  const { maxTokens: answerTokens = usualAnswerTokens(reading) } = flags;
  const around = await reading.countPrompt(answerPrompt(question, ""));
  // awaited here: the model is closed on the way out
  return await knowledge.ask(question, {
    ...options,
    write: {
      budget: Math.max(1, reading.contextLength - answerTokens - around),
      counter: reading.counter,
      write: (prompt, signal = new AbortController().signal) =>
        reading.generate(prompt, { maxTokens: answerTokens, signal }),
    },
  });
}

/** Vectors are for searching; people and programs that read answers have no use for them. */
const withoutVector = ({ chunk: { vector: _, ...chunk }, ...passage }: Passage) => ({ ...passage, chunk });
