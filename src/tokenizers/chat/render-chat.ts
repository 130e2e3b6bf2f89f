/** @file A chat as the text that a model was trained on. */

import { ConfigError, DataError } from "../../base/errors.js";
import { type ChatContentPart, type ChatMessage, ChatTemplate, type RenderChatOptions } from "./chat-template.js";

/** Stands at the end of the message to continue; ends in a space, to show whether the template trims. */
const continuation = "TESSERA_CONTINUES_HERE ";

/**
 * The text of a chat. Special tokens are in it as text, so encode it with `specialTokens: true` and without the
 * tokenizer's template.
 * @throws DataError when the template refuses the messages, or the last one cannot be continued.
 * @throws ConfigError when a message is both to begin and to go on.
 * @example
 * renderChat(template, [{ role: "user", content: "Hi" }], { addGenerationPrompt: true });
 */
export function renderChat(
  template: ChatTemplate | string,
  messages: readonly ChatMessage[],
  options: RenderChatOptions = {},
): string {
  const compiled = compiledTemplate(template);
  if (!options.continueFinalMessage) return compiled.render(messages, options);
  if (options.addGenerationPrompt) {
    throw new ConfigError(
      "renderChat: addGenerationPrompt begins a message and continueFinalMessage goes on with one; pass one",
    );
  }
  const rendered = compiled.render(withContinuation(messages), options);
  const at = rendered.lastIndexOf(continuation.trim());
  if (at < 0)
    throw new DataError("renderChat: continueFinalMessage: the template does not show the last message's content");
  return rendered.startsWith(continuation, at) ? rendered.slice(0, at) : rendered.slice(0, at).trimEnd();
}

/** A template, or the source of one. */
export function compiledTemplate(template: ChatTemplate | string): ChatTemplate {
  return typeof template === "string" ? new ChatTemplate(template) : template;
}

function withContinuation(messages: readonly ChatMessage[]): ChatMessage[] {
  const last = messages.at(-1);
  if (last === undefined) throw new DataError("renderChat: continueFinalMessage: there is no message to continue");
  return [...messages.slice(0, -1), { ...last, content: continued(last.content) }];
}

function continued(content: ChatMessage["content"]): NonNullable<ChatMessage["content"]> {
  if (typeof content === "string") return content + continuation;
  const at = content?.findLastIndex(({ text }) => text !== undefined) ?? -1;
  if (!content || at < 0)
    throw new DataError("renderChat: continueFinalMessage: the last message has no text to continue");
  const part: ChatContentPart = content[at]!;
  return content.with(at, { ...part, text: part.text + continuation });
}
