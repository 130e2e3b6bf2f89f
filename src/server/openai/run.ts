/** @file Runs the texts of a request in its turn, together, counting as they come. */

import type { Call } from "./call.js";
import type { Ticket } from "./queue.js";
import type { RouteContext } from "./routes/route.js";
import type { Generation, TextPiece } from "./service.js";

export interface ChoicePiece {
  /** Which of the texts. */
  readonly index: number;
  readonly piece: TextPiece;
}

export interface Run {
  /** Pieces of all texts as they come. Whoever stops reading frees the model. */
  readonly pieces: AsyncGenerator<ChoicePiece, void>;
  /** Ends one of the texts before its end. */
  stop(index: number): Promise<void>;
}

/**
 * Takes a place in the queue and gives it up when `prepare` fails: a server that is busy refuses without reading on.
 * @throws ApiError 429 when the queue is full.
 */
export async function inQueue<T>(
  { call, queue }: RouteContext,
  prepare: () => Promise<T>,
): Promise<{ readonly ticket: Ticket; readonly prepared: T }> {
  const ticket = queue.enter(call.signal);
  try {
    return { ticket, prepared: await prepare() };
  } catch (thrown) {
    ticket.leave();
    throw thrown;
  }
}

/** All texts of a request or, where one of them is wrong, none. */
export async function allOrNone(prepared: readonly Promise<Generation>[]): Promise<Generation[]> {
  const settled = await Promise.allSettled(prepared);
  const generations = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const wrong = settled.find((result) => result.status === "rejected");
  if (!wrong) return generations;
  await Promise.all(generations.map(({ pieces }) => pieces.return()));
  throw wrong.reason;
}

/**
 * Waits for the ticket's turn, then runs.
 * @param perPrompt texts for each prompt; a prompt counts once.
 * @throws from the pieces, the reason of an abort.
 */
export function runChoices(
  { call, metrics }: RouteContext,
  ticket: Ticket,
  generations: readonly Generation[],
  perPrompt: number,
): Run {
  for (let i = 0; i < generations.length; i += perPrompt) call.countPrompt(generations[i]!.numPromptTokens);
  const sources = generations.map(({ pieces }) => pieces);
  async function* run(): AsyncGenerator<ChoicePiece, void> {
    try {
      await ticket.turn;
      for await (const choice of merged(sources)) {
        observe(choice.piece, call, metrics);
        yield choice;
      }
      // generations end silently when they are aborted
      if (call.signal.aborted) throw call.signal.reason;
    } finally {
      ticket.leave();
    }
  }
  const stop = async (index: number): Promise<void> => {
    await sources[index]!.return();
  };
  return { pieces: run(), stop };
}

function observe({ ids, finishReason }: TextPiece, call: Call, metrics: RouteContext["metrics"]): void {
  if (ids.length > 0) {
    const isFirst = !call.hasFirstToken;
    const seconds = call.countTokens(ids.length);
    if (isFirst) metrics.firstToken.observe(seconds);
    else for (let i = 0; i < ids.length; i++) metrics.perToken.observe(seconds / ids.length);
  }
  if (finishReason !== undefined) call.record.finishReasons = [...(call.record.finishReasons ?? []), finishReason];
}

/** Pieces of several texts in the order in which they come. */
async function* merged(sources: readonly AsyncGenerator<TextPiece, void>[]): AsyncGenerator<ChoicePiece, void> {
  const next = async (index: number) => ({ index, result: await sources[index]!.next() });
  const pending = new Map(sources.map((_, index) => [index, next(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      if (result.done) pending.delete(index);
      else {
        yield { index, piece: result.value };
        pending.set(index, next(index));
      }
    }
  } finally {
    await Promise.allSettled(sources.map((source) => source.return()));
  }
}
