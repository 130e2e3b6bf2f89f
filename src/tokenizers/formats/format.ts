/** @file What it takes to read and write one kind of model in tokenizer.json. */

import { z } from "zod";
import type { AddedToken } from "../added-tokens.js";
import { typedSchema } from "../json-entry.js";
import type { PipelineParts } from "../pipeline.js";
import type { TokenModel } from "../token-model.js";

/** Files of the library's first years do not say of what type the model is, but each has settings of its own. */
function withType(model: unknown): unknown {
  if (typeof model !== "object" || model === null || "type" in model) return model;
  if ("merges" in model) return { type: "BPE", ...model };
  if ("vocab" in model && Array.isArray(model.vocab)) return { type: "Unigram", ...model };
  return { type: "continuing_subword_prefix" in model ? "WordPiece" : "WordLevel", ...model };
}

/** The file, with its entries still unread. Names as in the file. */
export const fileSchema = z.strictObject({
  version: z.literal("1.0"),
  truncation: z.unknown().optional(),
  padding: z.unknown().optional(),
  added_tokens: z.array(
    z.strictObject({
      id: z.int().nonnegative(),
      content: z.string().min(1),
      single_word: z.boolean(),
      lstrip: z.boolean(),
      rstrip: z.boolean(),
      normalized: z.boolean(),
      special: z.boolean(),
    }),
  ),
  normalizer: typedSchema.nullish(),
  pre_tokenizer: typedSchema.nullish(),
  post_processor: typedSchema.nullish(),
  decoder: typedSchema.nullish(),
  model: z.preprocess(withType, typedSchema),
});
export type TokenizerFile = z.infer<typeof fileSchema>;

/** A token of the file's `added_tokens`. */
export function addedToken(entry: TokenizerFile["added_tokens"][number]): AddedToken {
  return {
    id: entry.id,
    content: entry.content,
    isSpecial: entry.special,
    isNormalized: entry.normalized,
    isSingleWord: entry.single_word,
    stripsLeft: entry.lstrip,
    stripsRight: entry.rstrip,
  };
}

/** What a model is read from. */
export interface ModelContext {
  /** The file's `model` entry, which has the format's type. */
  readonly entry: unknown;
  /** The file's pre-tokenizers in order. */
  readonly pretokenizers: readonly z.infer<typeof typedSchema>[];
  /** Ids of special tokens, which no text may give. */
  readonly hidden: ReadonlySet<number>;
}

export interface ModelFormat {
  /** `model.type` in the file; the registry's key. */
  readonly name: string;
  /**
   * Reads the model and how text is cut up for it.
   * @throws UnsupportedError on settings that would change ids and are not supported.
   */
  read(context: ModelContext): Pick<PipelineParts, "model" | "steps">;
  /** The `model` entry of a file. */
  write(model: TokenModel): Record<string, unknown>;
}
