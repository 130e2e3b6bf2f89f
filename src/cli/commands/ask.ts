/** @file `tessera ask <folder>`: an answer, a summary or a conversation from a folder's documents, each claim with its place in them. */

import { Command, Option } from "commander";
import { ConfigError, DataError } from "../../base/errors.js";
import type { Skip } from "../../documents/index.js";
import { type ReadingModel, type ReadingStrategyName, readingStrategies } from "../../long/index.js";
import type { AskOptions } from "../../pipeline/knowledge-base/answer.js";
import type { Exchange } from "../../pipeline/knowledge-base/dialogue.js";
import { KnowledgeBase } from "../../pipeline/knowledge-base/knowledge-base.js";
import type { Passage } from "../../retrieval/index.js";
import { dialogueLoop } from "../dialogue-loop.js";
import { addPlaceOptions, type PlaceFlags, placeOf } from "../index-options.js";
import { answerText, coverageText, indexText, partText, skippedText, traceText } from "../knowledge-text.js";
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
  readonly summary?: boolean;
  readonly chat?: boolean;
  readonly quotes?: number;
  readonly passages?: number;
  readonly by?: "text" | "vector" | "hybrid";
  readonly model?: string;
  readonly strategy?: ReadingStrategyName;
  readonly trace?: boolean;
  readonly sync: boolean;
  readonly json?: boolean;
}

export const askCommand = addSamplingOptions(
  addModelOptions(
    addPlaceOptions(
      new Command("ask")
        .description("answer from the documents of a folder, in quotes that are checked against them")
        .argument(
          "<folder>",
          "folder of documents, or one document; it is indexed first where it is not or has changed",
        )
        .argument("[question...]", "what to find out; of a summary its topic, of a conversation its first question"),
    ),
  ),
)
  .option("--summary", "sum up what the documents say, about a topic or about all")
  .option("--chat", "go on asking: one question a line, which may go on with those before")
  .option(
    "--quotes <count>",
    "most quotes without a model (default: 3; of a summary two for each document, at most 40)",
    parseInteger(1, 1000),
  )
  .option("--passages <count>", "passages that are looked at (default: 8; for a topic 50)", parseInteger(1, 1000))
  .addOption(
    new Option("--by <search>", "what is searched (default: hybrid where the index has vectors)").choices([
      "text",
      "vector",
      "hybrid",
    ]),
  )
  .option("--model <model>", "let a model write the answer; what it quotes is checked (default: quotes alone)")
  .addOption(
    new Option("--strategy <name>", "how a model reads for a summary (default: map-reduce)").choices(
      Object.keys(readingStrategies),
    ),
  )
  .option("--trace", "say which passages were considered, and why")
  .option("--no-sync", "ask the index as it is, without a look at the folder")
  .option("--json", "print answer, quotes and passages as JSON, one line for each question")
  .action(run);

async function run(folder: string, words: readonly string[], flags: Flags): Promise<void> {
  const question = words.join(" ").trim();
  check(question, flags);
  await using knowledge = await KnowledgeBase.open(folder, placeOf(flags));
  if (flags.sync) await bringUpToDate(knowledge);
  await using service = flags.model === undefined ? undefined : await openModelHere(flags.model, flags);
  await answer(knowledge, question, flags, service && readingModelOf(service, flags));
  const { fault } = knowledge.accesses;
  if (fault !== undefined) console.error(`what was asked for could not be counted: ${fault}`);
}

/** What is left out is told of once. */
async function bringUpToDate(knowledge: KnowledgeBase): Promise<void> {
  const keyOf = ({ path, reason }: Pick<Skip, "path" | "reason">) => `${reason} ${path}`;
  const told = new Set((await knowledge.skipped()).map(keyOf));
  const report = await knowledge.sync();
  if (report.chunks > 0 || report.removed > 0) console.error(indexText(report, knowledge.embedder?.model));
  const skipped = report.skipped.filter((skip) => !told.has(keyOf(skip)));
  if (skipped.length > 0) console.error(skippedText(skipped));
}

/** Before anything is indexed. */
function check(question: string, { summary, chat, trace, strategy, model }: Flags): void {
  if (summary && chat) throw new ConfigError("ask: --summary and --chat are two things; take one of them");
  if (summary && trace)
    throw new ConfigError("ask: --trace is of the passages for a question; leave it out with --summary");
  if (strategy !== undefined && !(summary && model !== undefined))
    throw new ConfigError("ask: --strategy says how a model reads for a summary; give --summary and --model too");
  if (question === "" && !summary && !chat)
    throw new DataError("ask: the question is empty; write what to find out, or give --summary or --chat");
}

async function answer(knowledge: KnowledgeBase, question: string, flags: Flags, model?: ReadingModel): Promise<void> {
  if (flags.summary) return summarize(knowledge, question, flags, model);
  const { passages, by, quotes: limit, maxTokens: answerTokens } = flags;
  const options: AskOptions = {
    ...(passages !== undefined && { passages }),
    ...(limit !== undefined && { limit }),
    ...(by && { by }),
    ...(model && { model }),
    ...(answerTokens !== undefined && { answerTokens }),
  };
  const text = (exchange: Exchange): string => (flags.json ? exchangeJson(exchange) : exchangeText(exchange, flags));
  if (!flags.chat) return console.log(text({ question, ...(await knowledge.ask(question, options)) }));
  await dialogueLoop(knowledge.dialogue(options), question, {
    input: process.stdin,
    output: process.stdout,
    isTerminal: process.stdin.isTTY === true,
    text,
  });
}

function exchangeText({ answer, retrieved }: Exchange, { trace }: Flags): string {
  return `${answerText(answer)}${trace ? `\n\nconsidered:\n${traceText(retrieved.passages)}` : ""}`;
}

const exchangeJson = ({ answer, retrieved, ...questions }: Exchange): string =>
  JSON.stringify({ ...questions, ...answer, passages: retrieved.passages.map(withoutVector) });

/** Vectors are for searching; people and programs that read answers have no use for them. */
const withoutVector = ({ chunk: { vector: _, ...chunk }, ...passage }: Passage) => ({ ...passage, chunk });

async function summarize(
  knowledge: KnowledgeBase,
  topic: string,
  { quotes: limit, passages, maxTokens, by, strategy, json }: Flags,
  model: ReadingModel | undefined,
): Promise<void> {
  const about = topic === "" ? {} : { topic };
  const summary = await knowledge.summary({
    ...about,
    ...(limit !== undefined && { limit }),
    ...(passages !== undefined && { passages }),
    ...(by && { by }),
    ...(maxTokens !== undefined && (model ? { answerTokens: maxTokens } : { maxTokens })),
    ...(model && { model, onPart: (part) => console.error(partText(part)) }),
    ...(strategy && { strategy }),
  });
  console.log(json ? JSON.stringify({ ...about, ...summary }) : answerText(summary));
  if (!json) console.error(`\n${coverageText(summary)}`);
}
