/** @file What it takes to read and write one kind of model in tokenizer.json. */

import { z } from "zod";
import { typedSchema } from "../json-entry.js";
import type { PipelineParts } from "../pipeline.js";
import type { TokenModel } from "../token-model.js";

/** The file, with its entries still unread. Names as in the file. */
export const fileSchema = z.strictObject({
  version: z.literal("1.0"),
  truncation: z.unknown(),
  padding: z.unknown(),
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
  model: typedSchema,
});
export type TokenizerFile = z.infer<typeof fileSchema>;

export interface ModelFormat {
  /** `model.type` in the file; the registry's key. */
  readonly name: string;
  /**
   * Reads what depends on the kind of model: itself, how text is cut up for it, and how ids become text.
   * @throws UnsupportedError on settings that would change ids and are not supported.
   */
  read(file: TokenizerFile): Pick<PipelineParts, "model" | "pretokenizer" | "prefixSpace">;
  /** The `model` entry of a file. */
  write(model: TokenModel): Record<string, unknown>;
}
