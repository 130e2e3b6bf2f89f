/** @file Options of the commands that work with the index of a folder. */

import { type Command, Option } from "commander";
import { type ChunkerName, chunkerNames } from "../pipeline/chunk-document.js";
import type { KnowledgeBaseOptions } from "../pipeline/knowledge-base/knowledge-base.js";
import { parseInteger } from "./options.js";

/** Where an index is. */
export interface PlaceFlags {
  readonly index?: string;
  readonly workspace?: string;
}

export interface IndexFlags extends PlaceFlags {
  readonly chunker?: ChunkerName;
  readonly maxTokens?: number;
  readonly overlap?: number;
  readonly tokenizer?: string;
  readonly embedder?: string;
  readonly code?: boolean;
}

export function addPlaceOptions(command: Command): Command {
  return command
    .option("--index <address>", "an index elsewhere: postgres://user@host/database")
    .option("--workspace <folder>", "where the index is kept (default: below .tessera)");
}

export const placeOf = ({ index, workspace }: PlaceFlags): KnowledgeBaseOptions => ({
  ...(index !== undefined && { index }),
  ...(workspace !== undefined && { workspace }),
});

/** What is not given stays as the index was made. */
export function addIndexOptions(command: Command): Command {
  return addPlaceOptions(command)
    .addOption(
      new Option("--chunker <name>", "how to cut (default: code for source code, recursive for all else)").choices(
        chunkerNames,
      ),
    )
    .option("--max-tokens <count>", "most tokens of a chunk (default: 256)", parseInteger(1, 2 ** 24))
    .option(
      "--overlap <count>",
      "most tokens that a chunk repeats from the one before (default: 32)",
      parseInteger(0, 2 ** 24),
    )
    .option("--tokenizer <path>", "tokenizer.json, or a folder with one, to count tokens by (default: an estimate)")
    .option("--embedder <source>", "builtin, a model folder, an address, or none for words alone (default: builtin)")
    .option("--code", "read source code too");
}

export function indexOptionsOf(flags: IndexFlags): KnowledgeBaseOptions {
  const { chunker, maxTokens, overlap, tokenizer, embedder, code } = flags;
  return {
    settings: {
      ...(chunker && { chunker }),
      ...(maxTokens !== undefined && { maxTokens }),
      ...(overlap !== undefined && { overlapTokens: overlap }),
      ...(tokenizer !== undefined && { tokenizer }),
      ...(embedder !== undefined && { embedder }),
      ...(code && { code }),
    },
    ...placeOf(flags),
  };
}
