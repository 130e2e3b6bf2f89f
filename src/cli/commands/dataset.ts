/** @file `tessera dataset <folder>`: documents as questions and answers to tune on, each with its place. */

import { Command } from "commander";
import { usualAnswerTokens } from "../../long/index.js";
import { buildDataset, type DatasetReport } from "../../pipeline/dataset/build-dataset.js";
import { counterAt } from "../../pipeline/knowledge-base/settings.js";
import { integer, plural } from "../format.js";
import { skippedText } from "../knowledge-text.js";
import {
  addModelOptions,
  addSamplingOptions,
  type ModelFlags,
  openModelHere,
  readingModelOf,
  type SamplingFlags,
} from "../model-options.js";
import { parseInteger, parseShare } from "../options.js";

interface Flags extends ModelFlags, SamplingFlags {
  readonly out: string;
  readonly heldOut: number;
  readonly answerTokens: number;
  readonly tokenizer?: string;
  readonly model?: string;
  readonly json?: boolean;
}

export const datasetCommand = addSamplingOptions(
  addModelOptions(
    new Command("dataset")
      .description("make questions and answers to tune on from documents, each with its source, split by document")
      .argument("<folder>", "folder of documents, or one document"),
  ),
)
  .requiredOption("--out <folder>", "where train.jsonl, heldout.jsonl and their sources go")
  .option("--held-out <share>", "share of the documents that are held out", parseShare, 0.1)
  .option("--answer-tokens <count>", "most tokens of an answer", parseInteger(1, 2 ** 20), 256)
  .option("--tokenizer <path>", "tokenizer.json, or a folder with one, to count tokens by (default: an estimate)")
  .option("--model <model>", "let a model write questions too; an answer that is not in its passage is dropped")
  .option("--json", "print the report as JSON")
  .action(run);

async function run(folder: string, flags: Flags): Promise<void> {
  const { out, heldOut, answerTokens, tokenizer, seed, model } = flags;
  const options = { folder, out, heldOut, seed, maxTokens: answerTokens, counter: counterAt(tokenizer) };
  if (model === undefined) return print(await buildDataset(options), flags);
  await using service = await openModelHere(model, flags);
  const reading = readingModelOf(service, flags);
  const { maxTokens = usualAnswerTokens(reading) } = flags;
  const write = (prompt: string): Promise<string> =>
    reading.generate(prompt, { maxTokens, signal: new AbortController().signal });
  print(await buildDataset({ ...options, write, onDocument: (path) => console.error(path) }), flags);
}

function print(report: DatasetReport, { json, out }: Flags): void {
  if (json) {
    console.log(JSON.stringify(report));
    return;
  }
  const { documents, train, heldOut, heldOutDocuments, kinds, repeated, refused, skipped } = report;
  const made = Object.entries(kinds).map(([kind, count]) => `${integer(count)} ${kind}`);
  console.log(
    `${plural(documents, "document")}: ${plural(train, "pair")} in ${out}/train.jsonl, ${integer(heldOut)} of ${plural(heldOutDocuments.length, "document")} held out (${made.join(", ")}); left out: ${integer(repeated)} repeated, ${integer(refused)} without their source`,
  );
  if (skipped.length > 0) console.error(skippedText(skipped));
}
