/** @file Server-sent events (HTML Living Standard, section 9.2). */

import { describeFailure } from "./refusal.js";

/** Data is sent as JSON, which has no line breaks. */
export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
}

/**
 * The events as bytes, made as fast as they come: whoever reads slowly must not hold what makes them. When the reader
 * leaves, the signal is aborted, and the generator is ended at its next event.
 */
export function eventStream(
  events: (signal: AbortSignal) => AsyncGenerator<ServerEvent, void>,
): ReadableStream<Uint8Array> {
  const abort = new AbortController();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      for await (const { event, data } of events(abort.signal)) {
        if (abort.signal.aborted) return;
        controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
      }
      if (!abort.signal.aborted) controller.close();
    },
    cancel: () => abort.abort(),
  });
}

/**
 * The events, and one more where they fail: `error`, with the body that the failure would have had as a response. A
 * stream has its status before the first event, so a failure cannot be told by it.
 * @param onError hears of failures that are bugs.
 */
export async function* withFailure(
  events: AsyncGenerator<ServerEvent, void>,
  signal: AbortSignal,
  onError: (thrown: unknown) => void,
): AsyncGenerator<ServerEvent, void> {
  try {
    yield* events;
  } catch (thrown) {
    // a reader who has left hears nothing, and leaving is no failure
    if (!signal.aborted) yield { event: "error", data: describeFailure(thrown, onError).body };
  }
}
