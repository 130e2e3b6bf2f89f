/** @file Options that say how documents are cut, shared by the commands that cut some. */
import { type Command, Option } from "commander";
import { ConfigError } from "../base/errors.js";
import type { TokenCounter } from "../chunk/index.js";
import { type Embedder, openEmbedder } from "../embed/index.js";
import { type ChunkerName, type ChunkSettings, chunkerNames, isLocal } from "../pipeline/chunk-document.js";
import { counterAt } from "../pipeline/knowledge-base/settings.js";
import { parseInteger } from "./options.js";

export interface CuttingFlags {
  readonly chunker?: ChunkerName;
  readonly maxTokens: number;
  readonly overlap: number;
  readonly tokenizer?: string;
  readonly embedder?: string;
}

export function addCuttingOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--chunker <name>", "how to cut (default: code for source code, recursive for all else)").choices(
        chunkerNames,
      ),
    )
    .option("--max-tokens <count>", "most tokens of a chunk", parseInteger(1, 2 ** 24), 256)
    .option("--overlap <count>", "most tokens that a chunk repeats from the one before", parseInteger(0, 2 ** 24), 0)
    .option("--tokenizer <path>", "tokenizer.json, or a folder with one, to count tokens by (default: an estimate)")
    .option("--embedder <source>", "folder or address of an embedder, for chunkers and searches that look at meaning");
}

/** Opens what the flags name. */
export async function cuttingOf(flags: CuttingFlags): Promise<ChunkSettings & { readonly counter: TokenCounter }> {
  const { chunker, maxTokens, overlap } = flags;
  const embedder = await embedderOf(flags);
  if (chunker !== undefined && !isLocal(chunker) && embedder === undefined) {
    throw new ConfigError(`chunk: --chunker ${chunker} looks at meaning and needs --embedder`);
  }
  return {
    ...(chunker && { chunker }),
    ...(embedder && { embed: (texts) => embedder.embed(texts, "passage") }),
    maxTokens,
    overlapTokens: overlap,
    counter: counterAt(flags.tokenizer),
  };
}

export async function embedderOf({ embedder }: CuttingFlags): Promise<Embedder | undefined> {
  return embedder === undefined ? undefined : await openEmbedder(embedder);
}
