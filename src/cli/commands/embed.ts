/** @file `tessera embed`: texts in, a line of JSON with a vector for each out. */

import { Command, Option } from "commander";
import { ConfigError } from "../../base/errors.js";
import { cachedEmbedder, type Embedder, type OpenEmbedderOptions, openEmbedder } from "../../embed/index.js";
import { inputTexts } from "../input-texts.js";
import { parseInteger } from "../options.js";

interface Flags {
  readonly file?: string;
  readonly embedder: string;
  readonly kind: "query" | "passage";
  readonly model?: string;
  readonly keyVariable?: string;
  readonly cache?: string;
  readonly threads?: number;
  readonly decimals?: number;
}

/** Texts between two lines of output. */
const AT_ONCE = 256;

export const embedCommand = new Command("embed")
  .description("texts as vectors of unit length, one line of JSON each")
  .argument("[texts...]", "texts; without any, lines of --file or of standard input")
  .option("--file <path>", "a text on each line, or JSONL with a field text")
  .option(
    "--embedder <name>",
    "builtin, the folder of a model, or an address such as http://localhost:8000/v1",
    "builtin",
  )
  .addOption(
    new Option("--kind <kind>", "what the texts are to a search").choices(["query", "passage"]).default("passage"),
  )
  .option("--model <name>", "of an address: the model's name there")
  .option(
    "--key-variable <name>",
    "of an address: environment variable with the key (default: OPENAI_API_KEY where it is set)",
  )
  .option("--cache <folder>", "keep vectors there and take them from there")
  .option("--threads <number>", "of an encoder (default: as many as the machine has)", parseInteger(1, 1024))
  .option("--decimals <number>", "round to so many", parseInteger(1, 9))
  .action(run);

async function run(texts: string[], flags: Flags): Promise<void> {
  if (texts.length > 0 && flags.file !== undefined) throw new ConfigError("embed: give texts or --file, not both");
  const embedder = await opened(flags);
  try {
    for await (const group of grouped(texts.length > 0 ? texts : inputTexts(flags.file))) {
      const vectors = await embedder.embed(group, flags.kind);
      for (const [i, vector] of vectors.entries())
        console.log(JSON.stringify({ text: group[i], vector: shown(vector, flags.decimals) }));
    }
  } finally {
    await embedder.close?.();
  }
}

async function opened({ embedder, model, keyVariable, threads, cache }: Flags): Promise<Embedder> {
  const options: OpenEmbedderOptions = {
    ...(model !== undefined && { model }),
    ...(keyVariable !== undefined && { apiKeyVariable: keyVariable }),
    ...(threads !== undefined && { numThreads: threads }),
  };
  const plain = await openEmbedder(embedder, options);
  return cache === undefined ? plain : cachedEmbedder(plain, cache);
}

async function* grouped(texts: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string[]> {
  let group: string[] = [];
  for await (const text of texts) {
    if (group.push(text) < AT_ONCE) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

function shown(vector: Float32Array, decimals: number | undefined): number[] {
  return Array.from(vector, (value) => (decimals === undefined ? value : Number(value.toFixed(decimals))));
}
