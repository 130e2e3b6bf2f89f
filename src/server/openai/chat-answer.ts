/** @file One chat answer as it is written: text, tool calls, why it ended. */

import type { Call } from "./call.js";
import type { Ticket } from "./queue.js";
import type { RouteContext } from "./routes/route.js";
import { type ChoicePiece, type Run, runChoices } from "./run.js";
import type { Generation, TextPiece } from "./service.js";
import type { AnswerDelta, ToolCallParser } from "./tool-calls/index.js";
import { openingOf, type ToolPlan, type ToolUse } from "./tool-plan.js";

export type ChatFinishReason = "stop" | "length" | "tool_calls";

/** What came of one answer. */
export interface ChatEvent {
  readonly index: number;
  readonly deltas: readonly AnswerDelta[];
  readonly logprobs: TextPiece["logprobs"];
  readonly finishReason: ChatFinishReason | undefined;
}

/** Runs the answers of a chat in their turn. */
export function runChat(
  context: RouteContext,
  ticket: Ticket,
  generations: readonly Generation[],
  readers: readonly ChatAnswer[],
): AsyncGenerator<ChatEvent, void> {
  return chatEvents(runChoices(context, ticket, generations, generations.length), readers, context.call);
}

async function* chatEvents(run: Run, answers: readonly ChatAnswer[], call: Call): AsyncGenerator<ChatEvent, void> {
  for await (const { index, piece } of run.pieces satisfies AsyncGenerator<ChoicePiece, void>) {
    const event = answers[index]!.push(piece);
    if (event.finishReason !== undefined && piece.finishReason === undefined) {
      call.record.finishReasons = [...(call.record.finishReasons ?? []), event.finishReason];
      await run.stop(index);
    }
    yield { index, ...event };
  }
}

/** Reads one answer as it is written. */
export class ChatAnswer {
  readonly #parser: ToolCallParser | undefined;
  readonly #plan: ToolPlan | undefined;
  #opening: string;
  #hasCalls = false;

  constructor(use: ToolUse | undefined) {
    this.#plan = use?.plan;
    this.#parser = use?.format.parser(new Set(use.plan.tools.map(({ definition }) => definition.function.name)));
    this.#opening = use ? openingOf(use) : "";
  }

  /** An event with a finish reason is the last, though the text may go on. */
  push({ text, logprobs, finishReason }: TextPiece): Omit<ChatEvent, "index"> {
    const deltas = this.#read(text, finishReason !== undefined);
    this.#hasCalls ||= deltas.some(({ type }) => type === "call");
    const isEnough = this.#plan?.isParallel === false && this.#parser!.numComplete > 0;
    const ended = finishReason ?? (isEnough ? "stop" : undefined);
    return { deltas, logprobs, finishReason: ended === "stop" ? this.#stopReason() : ended };
  }

  #read(text: string, isEnd: boolean): AnswerDelta[] {
    const parser = this.#parser;
    if (!parser) return text === "" ? [] : [{ type: "text", text }];
    const deltas = parser.push(this.#opening + text);
    this.#opening = "";
    return isEnd ? [...deltas, ...parser.end()] : deltas;
  }

  /** As OpenAI has it: a call that was asked for by name ends with `stop`. */
  #stopReason(): ChatFinishReason {
    return this.#hasCalls && this.#plan?.forced?.name === undefined ? "tool_calls" : "stop";
  }
}
