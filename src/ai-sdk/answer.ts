/** @file An answer as parts of the AI SDK's stream, as it is written. */

import type { LanguageModelV3FinishReason, LanguageModelV3StreamPart, LanguageModelV3Usage } from "@ai-sdk/provider";
import { TesseraError } from "../base/errors.js";
import type { ChatAnswer, ChatFinishReason } from "../server/openai/chat-answer.js";
import type { Generation } from "../server/openai/service.js";
import type { AnswerDelta } from "../server/openai/tool-calls/index.js";
import { callId } from "../server/openai/wire.js";

export interface AnswerOptions {
  readonly reader: ChatAnswer;
  /** Length of ids of calls, where templates insist on one. */
  readonly idLength: number | undefined;
  readonly signal: AbortSignal;
  /** Gives the pieces of text out as they come, too. */
  readonly withRaw: boolean;
}

/**
 * The parts of one answer, of which `finish` is the last. Leaving early frees the model.
 * @throws the signal's reason once it is aborted; TesseraError when the service is closed.
 */
export async function* answerParts(
  { numPromptTokens, pieces }: Generation,
  { reader, idLength, signal, withRaw }: AnswerOptions,
): AsyncGenerator<LanguageModelV3StreamPart, void> {
  const blocks = new Blocks(idLength);
  let numTokens = 0;
  for await (const piece of pieces) {
    numTokens += piece.ids.length;
    if (withRaw) yield { type: "raw", rawValue: piece };
    const { deltas, finishReason } = reader.push(piece);
    for (const delta of deltas) yield* blocks.push(delta);
    if (finishReason === undefined) continue;
    yield* blocks.end();
    yield {
      type: "finish",
      finishReason: unified(finishReason, blocks.hasCalls),
      usage: usageOf(numPromptTokens, numTokens),
    };
    return;
  }
  // generations end silently when they are aborted
  signal.throwIfAborted();
  throw new TesseraError("the text service was closed before the answer's end");
}

/** OpenAI calls it `stop` where the call was asked for by name; the SDK looks for calls. */
function unified(raw: ChatFinishReason, hasCalls: boolean): LanguageModelV3FinishReason {
  return { unified: raw === "length" ? "length" : hasCalls ? "tool-calls" : "stop", raw };
}

function usageOf(numPromptTokens: number, numTokens: number): LanguageModelV3Usage {
  return {
    inputTokens: { total: numPromptTokens, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: numTokens, text: undefined, reasoning: undefined },
  };
}

/** Texts and calls between their marks of beginning and end. */
class Blocks {
  readonly #idLength: number | undefined;
  #open: { readonly id: string; readonly toolName?: string } | undefined;
  #input = "";
  #numTexts = 0;
  hasCalls = false;

  constructor(idLength: number | undefined) {
    this.#idLength = idLength;
  }

  *push(delta: AnswerDelta): Generator<LanguageModelV3StreamPart> {
    if (delta.type === "call") yield* this.#beginCall(delta.name);
    else if (delta.type === "arguments") {
      this.#input += delta.text;
      yield { type: "tool-input-delta", id: this.#open!.id, delta: delta.text };
    } else yield* this.#text(delta.text);
  }

  *end(): Generator<LanguageModelV3StreamPart> {
    const open = this.#open;
    this.#open = undefined;
    if (open?.toolName === undefined) {
      if (open) yield { type: "text-end", id: open.id };
      return;
    }
    yield { type: "tool-input-end", id: open.id };
    // one that the limit cut does not parse; the SDK says so of it
    yield { type: "tool-call", toolCallId: open.id, toolName: open.toolName, input: this.#input };
    this.#input = "";
  }

  *#beginCall(toolName: string): Generator<LanguageModelV3StreamPart> {
    yield* this.end();
    this.hasCalls = true;
    this.#open = { id: callId(this.#idLength), toolName };
    yield { type: "tool-input-start", id: this.#open.id, toolName };
  }

  *#text(text: string): Generator<LanguageModelV3StreamPart> {
    if (!this.#open || this.#open.toolName !== undefined) {
      yield* this.end();
      this.#open = { id: String(this.#numTexts++) };
      yield { type: "text-start", id: this.#open.id };
    }
    yield { type: "text-delta", id: this.#open.id, delta: text };
  }
}
