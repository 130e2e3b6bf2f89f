/** @file Options of the commands that work with the index of a folder. */

import type { Command } from "commander";
import type { KnowledgeBaseOptions } from "../pipeline/knowledge-base/knowledge-base.js";
import { indexSettingsSchema } from "../pipeline/knowledge-base/settings.js";
import { addChunkerOptions, type CuttingFlags } from "./cutting-options.js";

/** Where an index is. */
export interface PlaceFlags {
  readonly index?: string;
  readonly workspace?: string;
}

export interface IndexFlags extends PlaceFlags, CuttingFlags {
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
  const { maxTokens, overlapTokens: overlap } = indexSettingsSchema.parse({});
  return addChunkerOptions(addPlaceOptions(command), { maxTokens, overlap })
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
