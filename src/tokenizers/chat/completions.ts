/** @file Which characters of a chat's text the assistant wrote. */

import { DataError } from "../../base/errors.js";
import type { ChatMessage, ChatSpan, ChatTemplate, RenderChatOptions } from "./chat-template.js";
import { compiledTemplate } from "./render-chat.js";

export interface RenderCompletionsOptions
  extends Omit<RenderChatOptions, "addGenerationPrompt" | "continueFinalMessage"> {
  /** Indices of the messages to find. Default: all of the assistant. */
  readonly messages?: readonly number[];
  /** Tokens as text, any of which may end a turn. Default: the special tokens that the template is given. */
  readonly endTokens?: Iterable<string>;
}

/** What the assistant wrote in one message. */
export interface CompletionSpan extends ChatSpan {
  /** Index of the message; absent where the template's `{% generation %}` blocks are not one for each message. */
  readonly message?: number;
}

export interface RenderedCompletions {
  readonly text: string;
  /** What the assistant wrote, with the tokens that end its messages. In order, not empty, not overlapping. */
  readonly spans: readonly CompletionSpan[];
}

type Options = Omit<RenderCompletionsOptions, "messages" | "endTokens">;

/**
 * The text of a chat and the stretches that a loss on completions counts, by the first of these that holds:
 * 1. the template's `{% generation %}` blocks;
 * 2. what a message adds to the chat before it with its generation prompt, where both are beginnings of the whole text;
 * 3. what differs in the whole text when another message stands there, with the token that ends the turn. This tells what
 *    was written where a template changes earlier messages once later ones follow (such as leaving out thoughts).
 * @throws DataError when the template refuses the messages, or none of the three holds for a message.
 */
export function renderCompletions(
  template: ChatTemplate | string,
  messages: readonly ChatMessage[],
  { messages: wanted, endTokens, ...options }: RenderCompletionsOptions = {},
): RenderedCompletions {
  const compiled = compiledTemplate(template);
  const written = [...messages.keys()].filter((i) => messages[i]!.role === "assistant");
  if (compiled.marksGenerations) return generations(compiled, messages, written, wanted, options);
  const text = compiled.render(messages, options);
  const ends = [...(endTokens ?? Object.values(compiled.specialTokens))];
  const chat = { template: compiled, messages, options, text };
  const spans = (wanted ?? written).map((i) => {
    const span = addition(chat, i) ?? difference(chat, i, ends);
    if (span === undefined) throw notFound(i);
    return { ...span, message: i };
  });
  return { text, spans: spans.filter(isNotEmpty) };
}

/** By character of the text (UTF-16 code unit): 1 where the assistant wrote it, else 0. */
export function completionMask({ text, spans }: RenderedCompletions): Uint8Array {
  const mask = new Uint8Array(text.length);
  for (const { start, end } of spans) mask.fill(1, start, end);
  return mask;
}

const isNotEmpty = ({ start, end }: ChatSpan): boolean => end > start;

function generations(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  written: readonly number[],
  wanted: readonly number[] | undefined,
  options: Options,
): RenderedCompletions {
  const { text, spans } = template.renderGenerations(messages, options);
  if (spans.length !== written.length) {
    if (wanted === undefined) return { text, spans: spans.filter(isNotEmpty) };
    throw new DataError(
      `renderCompletions: the template has ${spans.length} {% generation %} blocks for ${written.length} messages of the ` +
        "assistant, so that the blocks of single messages cannot be told",
    );
  }
  const named = spans.map((span, i) => ({ ...span, message: written[i]! }));
  return { text, spans: named.filter((span) => isNotEmpty(span) && (wanted?.includes(span.message) ?? true)) };
}

interface Chat {
  readonly template: ChatTemplate;
  readonly messages: readonly ChatMessage[];
  readonly options: Options;
  readonly text: string;
}

/** What message `index` adds to what a model is shown before it. */
function addition({ template, messages, options, text }: Chat, index: number): ChatSpan | undefined {
  const before = attempt(() => template.render(messages.slice(0, index), { ...options, addGenerationPrompt: true }));
  if (before === undefined || !text.startsWith(before)) return undefined;
  const isLast = index === messages.length - 1;
  const after = isLast ? text : attempt(() => template.render(messages.slice(0, index + 1), options));
  if (after?.startsWith(before) !== true || !text.startsWith(after)) return undefined;
  return { start: before.length, end: after.length };
}

/** Stands for a message; no template and no chat has it. */
const probe = "TESSERA_MESSAGE_STANDS_HERE";

/** What is of message `index` alone: the text around it is the same whatever the message says. */
function difference(
  { template, messages, options, text }: Chat,
  index: number,
  endTokens: readonly string[],
): ChatSpan | undefined {
  const { role } = messages[index]!;
  const probed = messages.with(index, { role, content: probe });
  const around = attempt(() => template.render(probed, options))?.split(probe);
  if (around?.length !== 2) return undefined;
  const [before = "", after = ""] = around;
  const isAround = text.startsWith(before) && text.endsWith(after) && before.length + after.length <= text.length;
  if (!isAround) return undefined;
  const alone = attempt(() => template.render(probed.slice(0, index + 1), options))?.split(probe)[1] ?? "";
  return { start: before.length, end: text.length - after.length + turnEnd(after, alone, endTokens) };
}

/** Length of the token that ends a turn: it stands behind the message whether or not others follow. */
function turnEnd(after: string, alone: string, endTokens: readonly string[]): number {
  const gap = after.length - after.trimStart().length;
  const ends = endTokens.filter(
    (token) => token !== "" && after.startsWith(token, gap) && alone.startsWith(token, gap),
  );
  return ends.length === 0 ? 0 : gap + Math.max(...ends.map(({ length }) => length));
}

/** Parts of a chat may be what a template refuses. */
function attempt(render: () => string): string | undefined {
  try {
    return render();
  } catch (thrown) {
    if (thrown instanceof DataError) return undefined;
    throw thrown;
  }
}

function notFound(index: number): DataError {
  return new DataError(
    `renderCompletions: the characters of message ${index} cannot be told: the text around it changes with what it says; ` +
      "put {% generation %} and {% endgeneration %} around the assistant's text in the template",
  );
}
