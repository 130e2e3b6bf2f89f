/** @file A chat as the text that a model was trained on, and which characters of it the assistant wrote. */

import { ConfigError, DataError } from "../../base/errors.js";
import {
  type ChatContentPart,
  type ChatMessage,
  type ChatSpan,
  ChatTemplate,
  type RenderChatOptions,
} from "./chat-template.js";

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

export interface RenderedCompletions {
  readonly text: string;
  /** What the assistant wrote, with the tokens that end its messages. In order, not empty, not overlapping. */
  readonly spans: readonly ChatSpan[];
}

/**
 * The text of a chat and the stretches that a loss on completions counts: the template's `{% generation %}` blocks, or,
 * where it has none, what each assistant message adds to the chat before it with its generation prompt.
 * @throws DataError when the template writes earlier messages otherwise once later ones follow, so that no stretch of the
 * text belongs to a message; `{% generation %}` blocks in the template say it.
 */
export function renderCompletions(
  template: ChatTemplate | string,
  messages: readonly ChatMessage[],
  options: Omit<RenderChatOptions, "addGenerationPrompt" | "continueFinalMessage"> = {},
): RenderedCompletions {
  const compiled = compiledTemplate(template);
  if (compiled.marksGenerations) {
    const { text, spans } = compiled.renderGenerations(messages, options);
    return { text, spans: spans.filter(({ start, end }) => end > start) };
  }
  const text = compiled.render(messages, options);
  const spans: ChatSpan[] = [];
  messages.forEach(({ role }, i) => {
    if (role !== "assistant") return;
    const before = compiled.render(messages.slice(0, i), { ...options, addGenerationPrompt: true });
    const after = compiled.render(messages.slice(0, i + 1), options);
    if (!after.startsWith(before) || !text.startsWith(after)) throw notAPrefix(i);
    if (after.length > before.length) spans.push({ start: before.length, end: after.length });
  });
  return { text, spans };
}

/** By character of the text (UTF-16 code unit): 1 where the assistant wrote it, else 0. */
export function completionMask({ text, spans }: RenderedCompletions): Uint8Array {
  const mask = new Uint8Array(text.length);
  for (const { start, end } of spans) mask.fill(1, start, end);
  return mask;
}

function compiledTemplate(template: ChatTemplate | string): ChatTemplate {
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

function notAPrefix(index: number): DataError {
  return new DataError(
    `renderCompletions: message ${index} does not stand in the chat as it does at its end, so that its characters cannot ` +
      "be told; put {% generation %} and {% endgeneration %} around the assistant's text in the template",
  );
}
