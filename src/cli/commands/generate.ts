/** @file `tessera generate <model>`: text after a prompt, as it is written; with `--out` saved block by block. */

import { text as readAll } from "node:stream/consumers";
import { Command, Option } from "commander";
import { ConfigError } from "../../base/errors.js";
import { resolveModel } from "../../checkpoint/index.js";
import { cachePolicies } from "../../engine/index.js";
import { OUTPUT_SCHEMA_FILE, readOutputSchema } from "../../pipeline/output-schema-file.js";
import type { OpenTextService } from "../../pipeline/text-service.js";
import type { Generation, TextPiece, TextRequest } from "../../server/openai/service.js";
import { integer, rows } from "../format.js";
import {
  type AdapterFlags,
  aboutDefaults,
  adaptersOf,
  addAdapterOption,
  addModelOptions,
  addSamplingOptions,
  type ModelFlags,
  openModel,
  openModelHere,
  type SamplingFlags,
  samplingOf,
  writerOf,
} from "../model-options.js";
import { parseInteger, readJsonObject } from "../options.js";
import { resumeText, saveText } from "../saved-text.js";

interface Flags extends ModelFlags, SamplingFlags, AdapterFlags {
  readonly prompt?: string;
  readonly json?: boolean;
  readonly schema?: string | true;
  readonly out?: string;
  readonly blocks: number;
  readonly roll?: boolean;
  readonly resume?: string;
}

export const generateCommand = addSamplingOptions(
  addAdapterOption(
    addModelOptions(
      new Command("generate")
        .description("write text after a prompt, to standard output as it comes")
        .argument("[model]", "model folder, GGUF or llama2.c file, or a name on the hub; none with --resume")
        .option("--prompt <text>", "the beginning; - (default) reads standard input and computes it as it comes"),
    ),
  ),
)
  .addOption(
    new Option("--cache <policy>", "how keys and values are kept; sinks-window takes texts of any length")
      .choices(Object.keys(cachePolicies))
      .default("contiguous"),
  )
  .option("--json", "print text, counts and times as JSON on standard output, at the end")
  .option(
    "--schema [file]",
    "write JSON that a JSON Schema allows (default: the schema that model or adapter was tuned with)",
  )
  .option("--out <file>", "save the text block by block, so that it can be resumed after a kill")
  .option("--blocks <tokens>", "tokens of a block of --out", parseInteger(1, 2 ** 20), 256)
  .option("--roll", "with --out: once the context is full, go on with the prompt and the latest text")
  .option("--resume <file>", "go on with a text of --out, as if it had never been interrupted")
  .action(run);

async function run(model: string | undefined, flags: Flags, command: Command): Promise<void> {
  const { resume, out } = flags;
  if ((model === undefined) === (resume === undefined))
    throw new ConfigError("generate: give a model or --resume <file>, and not both");
  const given = (name: string): boolean => command.getOptionValueSource(name) === "cli";
  if (resume !== undefined) {
    const other = command.options
      .map((option) => option.attributeName())
      .find((name) => name !== "resume" && given(name));
    if (other !== undefined)
      throw new ConfigError(
        `generate: --resume goes on with the options that the text was begun with; leave out ${other}`,
      );
    return resumeText(resume);
  }
  if (out !== undefined) {
    const other = ["json", "schema", "cache", "draft", "speculate", "adapter"].find(given);
    if (other !== undefined)
      throw new ConfigError(
        `generate: --out does not go with --${other}${other === "cache" ? "; --roll takes texts of any length" : ""}`,
      );
    return saveText(model!, out, { ...flags, prompt: await promptOf(flags) });
  }
  if (flags.roll || given("blocks")) throw new ConfigError("generate: --blocks and --roll need --out <file>");
  const { prompt = "-" } = flags;
  const constraint = await constraintOf(model!, flags);
  if (prompt !== "-" && !given("cache")) {
    await using service = await openModel(model!, flags, adaptersOf(flags));
    await print(service, flags, (request) =>
      service.generate({ ...request, ...constraint, prompt: { kind: "plain", text: prompt } }),
    );
    return;
  }
  await using service = await openModelHere(model!, flags, adaptersOf(flags));
  await print(service, flags, async (request) =>
    prompt === "-"
      ? service.generateAfter(process.stdin.setEncoding("utf8"), { ...request, ...constraint })
      : service.generate({ ...request, ...constraint, prompt: { kind: "plain", text: prompt } }),
  );
}

/** What --schema asks for. @throws ConfigError when the model was not tuned with a schema and no file is given. */
async function constraintOf(
  model: string,
  { schema, adapter }: Flags,
): Promise<{ constraint?: NonNullable<TextRequest["constraint"]> }> {
  if (schema === undefined) return {};
  if (schema !== true) return { constraint: { type: "json_schema", schema: readJsonObject(schema) } };
  const folders = [...(adapter === undefined ? [] : [adapter]), await resolveModel(model)];
  for (const folder of folders) {
    const found = await readOutputSchema(folder);
    if (found) return { constraint: { type: "json_schema", schema: found } };
  }
  throw new ConfigError(
    `generate: ${folders.join(" and ")} ${folders.length > 1 ? "have" : "has"} no ${OUTPUT_SCHEMA_FILE}, which tuning with an outputSchema writes; give --schema a file`,
  );
}

/** The whole prompt; a saved text holds it. */
async function promptOf({ prompt = "-" }: Flags): Promise<string> {
  return prompt === "-" ? readAll(process.stdin) : prompt;
}

async function print(
  service: OpenTextService,
  { json = false, ...flags }: Flags,
  generate: (request: Omit<TextRequest, "prompt">) => Promise<Generation>,
): Promise<void> {
  const served = writerOf(service, flags);
  for (const line of aboutDefaults(served)) console.error(line);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once("SIGINT", end);
  // a reader that has enough, such as `head`
  process.stdout.once("error", end);
  const generation = await generate({ ...samplingOf(flags, served), model: served.id, signal: stop.signal });
  const written = await follow(generation.pieces, json ? () => {} : (text) => process.stdout.write(text));
  process.removeListener("SIGINT", end);
  const { numPromptTokens } = generation;
  const { text, numTokens, secondsToFirst, seconds, finishReason } = written;
  if (json) {
    const promptTokens = numPromptTokens;
    console.log(JSON.stringify({ text, finishReason, promptTokens, tokens: numTokens, secondsToFirst, seconds }));
    return;
  }
  const speed = numTokens > 1 ? `, ${integer((numTokens - 1) / (seconds - secondsToFirst))} tokens/s` : "";
  console.error(
    `\n${rows([
      ["prompt", `${integer(numPromptTokens)} tokens, ${secondsToFirst.toFixed(2)} s to the first new one`],
      ["written", `${integer(numTokens)} tokens${speed}; ended by ${finishReason}`],
    ])}`,
  );
}

/** Shows a text as it comes, and measures it. */
async function follow(pieces: AsyncIterable<TextPiece>, show: (text: string) => void) {
  const started = performance.now();
  let [text, numTokens, firstAt, finishReason] = ["", 0, started, "interrupted"];
  for await (const piece of pieces) {
    if (numTokens === 0) firstAt = performance.now();
    numTokens += piece.ids.length;
    text += piece.text;
    finishReason = piece.finishReason ?? finishReason;
    show(piece.text);
  }
  const [secondsToFirst, seconds] = [(firstAt - started) / 1000, (performance.now() - started) / 1000];
  return { text, numTokens, finishReason, secondsToFirst, seconds };
}
