/** @file `POST /api/write`: a text that a model writes, as server-sent events. */

import { z } from "zod";
import { check, readJsonBody } from "../../body.js";
import { eventStream, withFailure } from "../../event-stream.js";
import { Refusal } from "../../refusal.js";
import type { RouteDef } from "./route.js";

/** A conversation, in any script. */
const maxBytes = 512 * 1024;

const schema = z.strictObject({
  writer: z.string(),
  earlier: z.array(z.strictObject({ role: z.enum(["user", "assistant"]), content: z.string() })).max(100),
  prompt: z.string().min(1, "write something to begin with").max(20_000, "at most 20,000 characters; shorten it"),
  temperature: z.number().min(0).max(2),
  topP: z.number().min(0).max(1),
  maxTokens: z.int().min(1).max(4096),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  isGrounded: z.boolean(),
});

export const write: RouteDef = {
  method: "POST",
  path: "/api/write",
  async respond(c, { service, onError }) {
    const request = check(await readJsonBody(c, maxBytes), schema);
    if (request.isGrounded && request.earlier.length > 0) {
      throw new Refusal(400, "earlier: a text from the documents answers one question; send it alone", "earlier");
    }
    return c.body(
      eventStream((signal) => withFailure(service.write.write(request, signal), signal, onError)),
      200,
      { "Content-Type": "text/event-stream; charset=utf-8" },
    );
  },
};
