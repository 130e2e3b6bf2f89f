/** @file The bodies of requests. */

import { z } from "zod";
import { messagesSchema } from "./messages.js";
import { samplingShape } from "./sampling.js";
import { toolsShape } from "./tools.js";

/** Values of OpenAI's other answers than text, which are taken where they ask for text. */
const onlyText = z.array(z.literal("text", { error: "only text is supported" })).optional();

export const chatSchema = z.strictObject({
  ...samplingShape,
  ...toolsShape,
  messages: messagesSchema,
  /** The newer name of max_tokens. */
  max_completion_tokens: z.int().min(1).optional(),
  logprobs: z.boolean().default(false),
  top_logprobs: z.int().min(0).max(20).optional(),
  modalities: onlyText,
  /** More variables for the chat template, such as `enable_thinking`. */
  chat_template_kwargs: z.record(z.string(), z.unknown()).default({}),
});
export type ChatBody = z.output<typeof chatSchema>;

const ids = z.array(z.int().min(0)).min(1);

export const completionSchema = z.strictObject({
  ...samplingShape,
  prompt: z.union([z.string(), z.array(z.string()).min(1).max(64), ids, z.array(ids).min(1).max(64)], {
    error: "expected a string, token ids, or a list of at most 64 of either; no empty list",
  }),
  logprobs: z.int().min(0).max(20).optional(),
  best_of: z.literal(1, { error: "only 1 is supported: the texts are not ranked" }).optional(),
  echo: z.literal(false, { error: "only false is supported: the prompt is not repeated" }).optional(),
});
export type CompletionBody = z.output<typeof completionSchema>;

/** A name as models have them, in lists and logs. */
const adapterName = z.string().regex(/^[\w.:/-]{1,200}$/, "expected at most 200 letters, digits and any of . : / - _");

/** vLLM's names. */
export const loadAdapterSchema = z.strictObject({ lora_name: adapterName, lora_path: z.string().min(1).max(4096) });
export const unloadAdapterSchema = z.strictObject({ lora_name: z.string().min(1) });

export const embeddingSchema = z.strictObject({
  model: z.string().min(1),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(2048)], {
    error: "expected a text or at most 2048 texts, none of them empty; token ids are not supported",
  }),
  encoding_format: z.enum(["float", "base64"]).default("float"),
});
