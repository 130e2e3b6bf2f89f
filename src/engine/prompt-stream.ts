/** @file A prompt that comes while it is computed. */

import { ConfigError } from "../base/errors.js";
import type { Sequence } from "./sequence.js";

/** Token ids, all at once or in pieces as they come. */
export type PromptIds = ArrayLike<number> | AsyncIterable<ArrayLike<number>>;

export const isStream = (prompt: PromptIds): prompt is AsyncIterable<ArrayLike<number>> =>
  Symbol.asyncIterator in prompt;

/** What the engine does with a prompt that comes. */
export interface PromptSink {
  /** Checks ids and adds them to the sequence. */
  feed(ids: ArrayLike<number>): void;
  /** The whole prompt is there. */
  end(): void;
  fail(error: unknown): void;
}

/**
 * Reads a prompt no faster than it is computed: a piece is asked for once all whole pieces of what came are done. Leaves
 * the source when the request is given up, also while it waits for it. Never throws; errors go to the sink.
 */
export async function readPrompt(
  source: AsyncIterable<ArrayLike<number>>,
  sequence: Sequence,
  sink: PromptSink,
  givenUp: Promise<void>,
): Promise<void> {
  const pieces = source[Symbol.asyncIterator]();
  const gone = givenUp.then(() => undefined);
  let isRead = false;
  try {
    for (;;) {
      const next = await Promise.race([pieces.next(), gone]);
      if (next === undefined) return;
      isRead = next.done === true;
      if (isRead) break;
      if (next.value.length === 0) continue;
      const wanted = new Promise<void>((resolve) => {
        sequence.onWanted = resolve;
      });
      sink.feed(next.value);
      await Promise.race([wanted, gone]);
    }
    if (sequence.ids.length === 0)
      throw new ConfigError("the prompt has no tokens; begin with the model's start token");
    sink.end();
  } catch (error) {
    sink.fail(error);
  } finally {
    // a source that is waiting cannot be waited for
    if (!isRead) pieces.return?.().catch(() => {});
  }
}
