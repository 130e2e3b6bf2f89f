/** @file How a folder is indexed, kept beside its index so that whoever asks it does as who made it. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError, messageOf } from "../../base/errors.js";
import { estimatedTokens, type TokenCounter } from "../../chunk/index.js";
import { tokenizerFromJson } from "../../tokenizers/index.js";
import { type ChunkerName, chunkerNames } from "../chunk-document.js";

export const indexSettingsSchema = z.strictObject({
  /** Default: `code` for source in a language that it knows, otherwise `recursive`. */
  chunker: z.enum(chunkerNames as [ChunkerName, ...ChunkerName[]]).optional(),
  maxTokens: z.int().positive().default(256),
  overlapTokens: z.int().nonnegative().default(32),
  /** tokenizer.json or a folder with one, to count tokens by. Default: an estimate. */
  tokenizer: z.string().optional(),
  /** `builtin`, a folder, an address, or `none` for an index of words alone. */
  embedder: z.string().default("builtin"),
  /** Source code is indexed too. */
  code: z.boolean().default(false),
});

export type IndexSettings = z.infer<typeof indexSettingsSchema>;

/** @throws ConfigError where there is no tokenizer.json, or it is damaged. */
export function counterAt(path: string | undefined): TokenCounter {
  if (path === undefined) return estimatedTokens;
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  const file = isFolder ? join(path, "tokenizer.json") : path;
  try {
    return tokenizerFromJson(readFileSync(file, "utf8"));
  } catch (thrown) {
    throw new ConfigError(`tokenizer: ${file} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
}
