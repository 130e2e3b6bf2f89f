/** @file `POST /api/write`: a text that a model writes, as server-sent events. */

import { z } from "zod";
import { readJson } from "../../body.js";
import { eventStream, withFailure } from "../../event-stream.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({
  writer: z.string(),
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
    const request = await readJson(c, schema);
    return c.body(
      eventStream((signal) => withFailure(service.write.write(request, signal), signal, onError)),
      200,
      { "Content-Type": "text/event-stream; charset=utf-8" },
    );
  },
};
