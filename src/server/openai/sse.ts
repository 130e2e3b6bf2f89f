/** @file Answers as server-sent events, as OpenAI sends them: `data:` lines with JSON, then `[DONE]`. */

import type { Call } from "./call.js";
import { ApiError, apiErrorOf } from "./errors.js";

/** Bytes that wait for a slow reader before the request is given up. */
export const maxUnreadBytes = 4 * 1024 * 1024;

export const eventStreamHeaders: Readonly<Record<string, string>> = {
  "Content-Type": "text/event-stream; charset=utf-8",
  // proxies such as nginx would collect the events
  "X-Accel-Buffering": "no",
};

/**
 * The frames as bytes, made as fast as they come, so that a slow reader does not hold the model. A failure is the last frame.
 * The call ends with the stream; when the reader goes, or leaves too much unread, the call is aborted.
 */
export function frameStream(
  frames: AsyncGenerator<unknown, void>,
  call: Call,
  onError: (thrown: unknown) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  call.isStream = true;
  const send = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const write = (frame: string): void => controller.enqueue(encoder.encode(`data: ${frame}\n\n`));
    try {
      for await (const frame of frames) {
        if (isClientGone(call)) return;
        write(JSON.stringify(frame));
        if ((controller.desiredSize ?? 0) <= 0) throw tooSlow();
      }
      write("[DONE]");
    } catch (thrown) {
      const error = apiErrorOf(thrown, onError);
      if (isClientGone(call)) return;
      call.fail(error);
      write(JSON.stringify(error.body));
    }
    controller.close();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        void send(controller).finally(() => call.end());
      },
      cancel: () => abandon(call),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: maxUnreadBytes }),
  );
}

/** The client went: nobody reads the rest. */
export function abandon(call: Call): void {
  call.record.cancelled = true;
  // nginx' status for it, as HTTP has none
  call.record.status = 499;
  call.abort(new ApiError(400, "the client went before the answer's end", { code: "client_gone" }));
}

function isClientGone({ record }: Call): boolean {
  return record.cancelled === true;
}

function tooSlow(): ApiError {
  return new ApiError(503, `the client left more than ${maxUnreadBytes} bytes unread; read faster`, {
    code: "reader_too_slow",
  });
}
