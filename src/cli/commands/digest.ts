/** @file `tessera digest <model> <path>`: an answer from a document, or a folder of them, of any length. */

import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { ConfigError, messageOf } from "../../base/errors.js";
import { type ReadingStrategyName, readingStrategies } from "../../long/index.js";
import { type FolderReading, readDocuments } from "../../pipeline/read-documents.js";
import { ResultFile } from "../../pipeline/reading-model.js";
import { allDocuments } from "../documents-of.js";
import { integer, plural } from "../format.js";
import { partText } from "../knowledge-text.js";
import {
  addModelOptions,
  addSamplingOptions,
  type ModelFlags,
  openModelHere,
  readingModelOf,
  type SamplingFlags,
} from "../model-options.js";
import { parseInteger } from "../options.js";

interface Flags extends ModelFlags, SamplingFlags {
  readonly task: string;
  readonly strategy: ReadingStrategyName;
  readonly together: number;
  readonly results?: string;
  readonly template: readonly string[];
  readonly json?: boolean;
}

export const digestCommand = addSamplingOptions(
  addModelOptions(
    new Command("digest")
      .description("answer from documents that are longer than the model's context, or sum them up, part by part")
      .argument("<model>", "model folder, GGUF or llama2.c file, or a name on the hub")
      .argument(
        "<path>",
        "a document of any kind that is read, or a folder: each document, then what was found in them",
      ),
  ),
)
  .requiredOption("--task <text>", "a question, or what to do with the document")
  .addOption(
    new Option("--strategy <name>", "how parts become one answer")
      .choices(Object.keys(readingStrategies))
      .default("map-reduce"),
  )
  .option("--together <count>", "parts that are read at once", parseInteger(1, 1024), 8)
  .option("--results <file>", "keep the answers of all parts there, and read only what it does not have")
  .option("--template <name=file...>", "prompts in place of the strategy's own", [])
  .option("--json", "print the answer with all parts and their places as JSON")
  .action(run);

async function run(model: string, path: string, flags: Flags): Promise<void> {
  const { task, strategy, together, maxTokens, json } = flags;
  const documents = await allDocuments(path);
  const templates = Object.fromEntries(await Promise.all(flags.template.map(templateOf)));
  await using service = await openModelHere(model, flags, { maxSequences: together });
  await using results = flags.results === undefined ? undefined : await ResultFile.open(flags.results);
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  const reading = await readDocuments(readingStrategies[strategy], readingModelOf(service, flags), documents, {
    task,
    templates,
    concurrency: together,
    signal: interrupted.signal,
    ...(maxTokens !== undefined && { answerTokens: maxTokens }),
    ...(results && { results }),
    onPart: (part) => console.error(partText(part)),
  });
  console.log(json ? JSON.stringify(reading) : reading.text.trim());
  if (!json) console.error(`\n${summary(reading)}`);
}

function summary({ documents, joined }: FolderReading): string {
  const readings = [...documents.map(({ reading }) => reading), ...(joined ? [joined] : [])];
  const parts = readings.flatMap((reading) => reading.parts);
  const known = parts.filter(({ isKnown }) => isKnown).length;
  const last = readings.at(-1)!;
  const tally = last.votes?.map(({ text, count }) => `${count} ${JSON.stringify(text)}`).join(", ");
  return [
    ...(documents.length > 1 ? [plural(documents.length, "document")] : []),
    `${plural(parts.length, "call")}, ${integer(known)} of them known`,
    ...(last.note === undefined ? [] : [last.note]),
    ...(tally === undefined ? [] : [`votes: ${tally}`]),
  ].join("; ");
}

async function templateOf(option: string): Promise<[string, string]> {
  const at = option.indexOf("=");
  if (at < 1) throw new ConfigError(`--template: expected name=file, got "${option}"`);
  return [option.slice(0, at), await read(option.slice(at + 1))];
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    throw new ConfigError(`${path} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
}
