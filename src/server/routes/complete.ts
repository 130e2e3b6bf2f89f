/** @file `POST /api/complete`: text of the model after a prompt, as server-sent events. */

import { z } from "zod";
import { readJson } from "../body.js";
import { eventStream } from "../event-stream.js";
import { describeFailure } from "../refusal.js";
import type { KnowledgeService, TextEnd, TextOptions } from "../service.js";
import type { CompletionEvent } from "../wire.js";
import type { RouteContext, RouteDef } from "./route.js";

/** Defaults: a paragraph; varied but not wild text; the same text every time. */
function schemaFor({ model }: KnowledgeService) {
  return z.strictObject({
    prompt: z.string().min(1, "write a prompt of at least one character"),
    maxTokens: z.int().min(1).max(model.contextLength).default(Math.min(128, model.contextLength)),
    temperature: z.number().min(0).max(2).default(0.8),
    seed: z.int().min(0).default(0),
  });
}

export const complete: RouteDef = {
  method: "POST",
  path: "/api/complete",
  async respond(c, context) {
    const { prompt, ...options } = await readJson(c, schemaFor(context.service));
    const stream = eventStream((signal) => textEvents(prompt, { ...options, signal }, context));
    return c.body(stream, 200, { "Content-Type": "text/event-stream; charset=utf-8" });
  },
};

async function* textEvents(
  prompt: string,
  options: TextOptions,
  { service, onError }: RouteContext,
): AsyncGenerator<CompletionEvent, void> {
  const started = performance.now();
  try {
    for await (const part of piecesAndEnd(service.complete(prompt, options))) {
      if (typeof part === "string") yield { event: "text", data: { text: part } };
      else yield { event: "done", data: { ...part, milliseconds: performance.now() - started } };
    }
  } catch (thrown) {
    if (options.signal.aborted) return;
    yield { event: "error", data: describeFailure(thrown, onError).body };
  }
}

async function* piecesAndEnd(pieces: AsyncGenerator<string, TextEnd>): AsyncGenerator<string | TextEnd, void> {
  const end = yield* pieces;
  yield end;
}
