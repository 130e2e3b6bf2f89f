/** @file Finds a model's chat template in the files that come with its tokenizer. */

import { z } from "zod";
import { CheckpointError } from "../../base/errors.js";
import { ChatTemplate } from "./chat-template.js";

const tokenSchema = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]);
const configSchema = z.looseObject({
  chat_template: z.union([z.string(), z.array(z.strictObject({ name: z.string(), template: z.string() }))]).nullish(),
});

/** Tokens that transformers hands to templates. */
const tokenNames = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
] as const;

/**
 * The templates of a model by name; the usual one is called `default`, and some models have one called `tool_use` beside
 * it. Empty where the model has none.
 * @param config the parsed tokenizer_config.json.
 * @param jinja the text of chat_template.jinja, which takes the place of `default`.
 * @throws CheckpointError when an entry is not what the format says.
 */
export function readChatTemplates(config: unknown, jinja?: string): ReadonlyMap<string, ChatTemplate> {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    throw new CheckpointError(`tokenizer_config.json: chat_template: ${z.prettifyError(parsed.error)}`);
  }
  const tokens = specialTokens(parsed.data);
  const { chat_template: entry } = parsed.data;
  const sources = new Map<string, string>();
  if (typeof entry === "string") sources.set("default", entry);
  else for (const { name, template } of entry ?? []) sources.set(name, template);
  if (jinja !== undefined) sources.set("default", jinja);
  return new Map([...sources].map(([name, source]) => [name, new ChatTemplate(source, tokens)]));
}

function specialTokens(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const name of tokenNames) {
    const entry = config[name];
    if (entry === undefined || entry === null) continue;
    const parsed = tokenSchema.safeParse(entry);
    if (!parsed.success) throw new CheckpointError(`tokenizer_config.json: ${name} must be a token or null`);
    tokens[name] = parsed.data;
  }
  return tokens;
}
