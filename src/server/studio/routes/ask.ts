/** @file `POST /api/ask`: quotes of the documents that answer a question, and the passages that were considered. */

import { z } from "zod";
import { readJson } from "../../body.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({
  question: z.string().trim().min(1, "write what to find out").max(2000, "at most 2,000 characters; ask for less"),
});

export const ask: RouteDef = {
  method: "POST",
  path: "/api/ask",
  async respond(c, { service }) {
    const { question } = await readJson(c, schema);
    return c.json(await service.ask.ask(question, c.req.raw.signal));
  },
};
