/** @file What every data format is read into: a text, a prompt with its completion, or a chat. */

import type { ChatMessage } from "../tokenizers/index.js";

/** Where a row stands, for people. */
export interface Place {
  readonly file: string;
  /** Counted from 1; absent where the file as a whole is the row. */
  readonly line?: number;
}

/** A function that the assistant may call, as OpenAI writes it: `{ type: "function", function: { name, parameters } }`. */
export type ToolSchema = Readonly<Record<string, unknown>>;

/** How a chat is written for a model that has no chat template: the words of its headings. */
export type ChatStyle = "conversation" | "instruction";

export interface TextBody {
  readonly kind: "text";
  readonly text: string;
}

/** Text that goes on: no template is put around it. */
export interface CompletionBody {
  readonly kind: "completion";
  readonly prompt: string;
  readonly completion: string;
}

export interface ChatBody {
  readonly kind: "chat";
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolSchema[];
  /** Indices of assistant messages that are read but not learned. */
  readonly unlearned?: readonly number[];
  readonly style: ChatStyle;
}

export type ExampleBody = TextBody | CompletionBody | ChatBody;

export interface Example {
  readonly body: ExampleBody;
  readonly place: Place;
  /** SHA-256 of the body: equal for exact duplicates, whatever file and format they come from. */
  readonly hash: string;
  /** Value of the column that was named as score. */
  readonly score?: number;
}

/** `data.jsonl:12`. */
export const written = ({ file, line }: Place): string => (line === undefined ? file : `${file}:${line}`);

/** Whether there is nothing to learn: no text, or no assistant message that says or calls anything. */
export function isEmpty(body: ExampleBody): boolean {
  if (body.kind === "text") return body.text.trim() === "";
  if (body.kind === "completion") return body.completion.trim() === "";
  return !body.messages.some((message) => message.role === "assistant" && !isSilent(message));
}

function isSilent({ content, tool_calls }: ChatMessage): boolean {
  const hasContent = typeof content === "string" ? content.trim() !== "" : (content?.length ?? 0) > 0;
  return !hasContent && !(Array.isArray(tool_calls) && tool_calls.length > 0);
}
