/** @file Options that say how documents are cut, shared by the commands that cut some. */
import { type Command, Option } from "commander";
import { ConfigError } from "../base/errors.js";
import type { TokenCounter } from "../chunk/index.js";
import { type Embedder, openEmbedder } from "../embed/index.js";
import { type ChunkerName, type ChunkSettings, chunkerNames, isLocal } from "../pipeline/chunk-document.js";
import { counterAt } from "../pipeline/knowledge-base/settings.js";
import type { ChunkTrial } from "../pipeline/retrieval-eval/index.js";
import { parseInteger } from "./options.js";

/** Of a command that cuts documents to show or to try. */
const USUAL = { maxTokens: 256, overlap: 0 };

export interface CuttingFlags {
  readonly chunker?: ChunkerName;
  readonly maxTokens?: number;
  readonly overlap?: number;
  readonly tokenizer?: string;
  readonly embedder?: string;
}

/** How to cut and to count. The defaults are said and not set: an index that is there has its own. */
export function addChunkerOptions(command: Command, { maxTokens, overlap }: typeof USUAL): Command {
  const count = parseInteger(0, 2 ** 24);
  return command
    .addOption(
      new Option("--chunker <name>", "how to cut (default: code for source code, recursive for all else)").choices(
        chunkerNames,
      ),
    )
    .option("--max-tokens <count>", `most tokens of a chunk (default: ${maxTokens})`, parseInteger(1, 2 ** 24))
    .option("--overlap <count>", `most tokens that a chunk repeats from the one before (default: ${overlap})`, count)
    .option("--tokenizer <path>", "tokenizer.json, or a folder with one, to count tokens by (default: an estimate)");
}

export function addCuttingOptions(command: Command): Command {
  return addChunkerOptions(command, USUAL).option(
    "--embedder <source>",
    "folder or address of an embedder, for chunkers and searches that look at meaning",
  );
}

/** One way to cut. */
export function chunkingOf({
  chunker,
  maxTokens = USUAL.maxTokens,
  overlap = USUAL.overlap,
}: CuttingFlags): ChunkTrial {
  return { ...(chunker && { chunker }), maxTokens, overlapTokens: overlap };
}

/** Opens what the flags name. */
export async function cuttingOf(flags: CuttingFlags): Promise<ChunkSettings & { readonly counter: TokenCounter }> {
  const { chunker } = flags;
  const embedder = await embedderOf(flags);
  if (chunker !== undefined && !isLocal(chunker) && embedder === undefined) {
    throw new ConfigError(`chunk: --chunker ${chunker} looks at meaning and needs --embedder`);
  }
  return {
    ...chunkingOf(flags),
    ...(embedder && { embed: (texts) => embedder.embed(texts, "passage") }),
    counter: counterAt(flags.tokenizer),
  };
}

export async function embedderOf({ embedder }: CuttingFlags): Promise<Embedder | undefined> {
  return embedder === undefined ? undefined : await openEmbedder(embedder);
}
