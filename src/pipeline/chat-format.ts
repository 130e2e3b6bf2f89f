/** @file How a loaded model is talked to: its chat templates, and the ids that end its texts. */

import { TesseraError } from "../base/errors.js";
import type { JsonValue } from "../checkpoint/index.js";
import { generationConfigOf, type TextModel } from "../presets/index.js";
import { type ChatTemplate, readChatTemplates, renderChat, type Tokenizer } from "../tokenizers/index.js";

type Loaded = Pick<TextModel, "tokenizer" | "tokenizerFiles" | "config" | "ggufMetadata">;

/** The templates of a model by name, from the files of its tokenizer or the metadata of its GGUF file. */
export function chatTemplatesOf({
  tokenizer,
  tokenizerFiles,
  ggufMetadata,
}: Loaded): ReadonlyMap<string, ChatTemplate> {
  if (ggufMetadata) {
    const tokenOf = (role: string): string | undefined => {
      const id = ggufMetadata.get(`tokenizer.ggml.${role}_token_id`);
      return typeof id === "number" ? tokenizer.token(id) : undefined;
    };
    const [bos_token, eos_token] = [tokenOf("bos"), tokenOf("eos")];
    const chat_template = ggufMetadata.get("tokenizer.chat_template");
    return readChatTemplates({ chat_template, bos_token, eos_token });
  }
  const text = (name: string): string | undefined => {
    const bytes = tokenizerFiles.get(name);
    return bytes && new TextDecoder().decode(bytes);
  };
  return readChatTemplates(JSON.parse(text("tokenizer_config.json") ?? "{}"), text("chat_template.jinja"));
}

/**
 * Ids that end a text: what config.json, generation_config.json and the tokenizer call the end, and what the chat template
 * puts behind the assistant's words.
 */
export function endIdsOf(
  { tokenizer, tokenizerFiles, config }: Loaded,
  template: ChatTemplate | undefined,
): Set<number> {
  const named = template?.specialTokens.eos_token;
  const ids = [
    ...numbersOf(config.eos_token_id),
    ...generationConfigOf(tokenizerFiles).endIds,
    ...tokenizer.template.suffix,
    ...(named === undefined ? [] : [tokenizer.tokenId(named)]),
    ...(template ? [turnEndOf(tokenizer, template)] : []),
  ];
  return new Set(ids.filter((id) => id !== undefined));
}

/** The id that a text without any begins with, or undefined where the model has none. */
export function beginIdOf({ tokenizer, config }: Loaded): number | undefined {
  return tokenizer.template.prefix[0] ?? numbersOf(config.bos_token_id)[0];
}

const numbersOf = (value: JsonValue | undefined): number[] =>
  (Array.isArray(value) ? value : [value]).filter((id) => typeof id === "number");

/** Config files often name only the end of a document, and not the end of a turn. */
function turnEndOf(tokenizer: Tokenizer, template: ChatTemplate): number | undefined {
  const words = "TESSERA_WORDS";
  const messages = [
    { role: "user", content: "Hi" },
    { role: "assistant", content: words },
  ];
  let text: string;
  try {
    text = renderChat(template, messages);
  } catch (thrown) {
    // a template for other chats than this one says nothing about its turns
    if (thrown instanceof TesseraError) return undefined;
    throw thrown;
  }
  const after = text.slice(text.lastIndexOf(words) + words.length).trimStart();
  const first = tokenizer.encode(after, { specialTokens: true })[0];
  return [...tokenizer.specialTokens.values()].find((id) => id === first);
}
