/** @file Streams of another server: read, counted and handed on frame by frame. */

import { z } from "zod";
import { ApiError } from "./errors.js";
import type { Ticket } from "./queue.js";
import type { CallContext } from "./routes/route.js";

export const usageSchema = z.looseObject({
  prompt_tokens: z.number(),
  completion_tokens: z.number().optional(),
});
export type UpstreamUsage = z.output<typeof usageSchema>;

const frameSchema = z.looseObject({
  choices: z.array(z.unknown()).optional(),
  usage: usageSchema.nullish(),
  error: z.looseObject({ message: z.string().optional() }).optional(),
});

/** The longest line of a stream. */
const maxLineLength = 16 * 2 ** 20;

/**
 * The frames of a stream until `[DONE]`. A chunk counts as a token until the stream says how many there were; the chunk with
 * the usage goes on only to a client that asked for it.
 */
export async function* framesOf(
  response: Response,
  { call, metrics }: CallContext,
  wantsUsage: boolean,
  ticket: Ticket,
): AsyncGenerator<unknown, void> {
  let numCounted = 0;
  let total: UpstreamUsage | undefined;
  try {
    for await (const text of dataOf(response.body!)) {
      if (text === "[DONE]") return;
      const frame = parsedFrame(text);
      const { choices = [], usage, error } = frame;
      if (error) call.fail({ status: 502, code: "upstream_error", message: error.message ?? "an error in the stream" });
      if (choices.length > 0) {
        numCounted++;
        const isFirst = !call.hasFirstToken;
        (isFirst ? metrics.firstToken : metrics.perToken).observe(call.countTokens(1));
      }
      total = usage ?? total;
      if (!usage || choices.length > 0 || wantsUsage) yield frame;
    }
    if (call.signal.aborted) throw call.signal.reason;
    throw new ApiError(502, "the upstream's stream ended before its end", { code: "upstream_cut" });
  } catch (thrown) {
    if (thrown instanceof ApiError) throw thrown;
    if (call.signal.aborted) throw call.signal.reason;
    throw new ApiError(502, "the connection to the upstream server broke", { code: "upstream_cut" });
  } finally {
    // some servers send the usage so far with every chunk
    call.countPrompt(total?.prompt_tokens ?? 0);
    call.countTokens((total?.completion_tokens ?? numCounted) - numCounted);
    ticket.leave();
  }
}

function parsedFrame(text: string): z.output<typeof frameSchema> {
  try {
    return frameSchema.parse(JSON.parse(text));
  } catch {
    throw new ApiError(502, "the upstream server sent an event that is no JSON object of its interface", {
      code: "upstream_invalid",
    });
  }
}

/** The `data` of server-sent events (HTML Living Standard, 9.2.6); events of one line, as OpenAI's are. */
async function* dataOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r\n|\n|\r/);
    rest = lines.pop()!;
    if (rest.length > maxLineLength) throw new ApiError(502, "the upstream sent a line without end");
    for (const line of lines) {
      const data = /^data: ?(.*)$/s.exec(line)?.[1];
      if (data !== undefined) yield data;
    }
  }
}
