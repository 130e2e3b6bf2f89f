/** @file Parts of OpenAI's responses. */

import type { Call } from "./call.js";
import type { ChatEvent } from "./chat-answer.js";
import type { TextPiece, TokenChance } from "./service.js";

/** What every answer begins with; `id` is the request's, `created` Unix time in seconds. */
export function envelope(object: string, prefix: string, model: string, call: Call) {
  return { id: `${prefix}-${call.id}`, object, created: Math.floor(Date.parse(call.record.time) / 1000), model };
}

export function usageOf({ record: { promptTokens = 0, completionTokens = 0 } }: Call) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

type Logprobs = NonNullable<TextPiece["logprobs"]>;

/** Log-probabilities as chat completions have them. */
export function chatLogprobs(logprobs: Logprobs) {
  const chance = ({ token, logprob, bytes }: TokenChance) => ({ token, logprob, bytes });
  return {
    content: logprobs.map((entry) => ({ ...chance(entry), top_logprobs: entry.top.map(chance) })),
    refusal: null,
  };
}

/** Log-probabilities as plain completions have them; offsets count from the text's start in UTF-16 code units. */
export function completionLogprobs(logprobs: Logprobs, textOffset: number) {
  let offset = textOffset;
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top }) => Object.fromEntries(top.map(({ token, logprob }) => [token, logprob]))),
    text_offset: logprobs.map(({ token }) => {
      const at = offset;
      offset += token.length;
      return at;
    }),
  };
}

export interface WireToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; arguments: string };
}

/** An id for a call: unique, and as long as the model's template asks. */
export function callId(length: number | undefined): string {
  const hex = crypto.randomUUID().replaceAll("-", "");
  return length === undefined ? `call_${hex.slice(0, 24)}` : hex.slice(0, length);
}

/** Deltas of one event as chunks have them: text together, then calls. */
export function chatDelta({ deltas }: ChatEvent, idLength: number | undefined): Record<string, unknown> {
  let content = "";
  const calls: Record<string, unknown>[] = [];
  for (const delta of deltas) {
    if (delta.type === "text") content += delta.text;
    else if (delta.type === "call") {
      const called = { name: delta.name, arguments: "" };
      calls.push({ index: delta.index, id: callId(idLength), type: "function", function: called });
    } else calls.push({ index: delta.index, function: { arguments: delta.text } });
  }
  return { ...(content !== "" && { content }), ...(calls.length > 0 && { tool_calls: calls }) };
}
