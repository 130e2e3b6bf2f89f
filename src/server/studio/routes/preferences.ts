/** @file `POST /api/preferences`: keeps which of two texts is better; `GET` gives the pairs as TRL reads them. */

import { z } from "zod";
import { check, readJsonBody } from "../../body.js";
import type { RouteDef } from "./route.js";

/** Two long texts and what they answer, in any script. */
const maxBytes = 512 * 1024;

const text = z.strictObject({ writer: z.string(), text: z.string() });
const schema = z.strictObject({
  prompt: z.string().min(1),
  left: text,
  right: text,
  verdict: z.enum(["left", "right", "tie", "bad"]),
});

export const prefer: RouteDef = {
  method: "POST",
  path: "/api/preferences",
  async respond(c, { service }) {
    return c.json(await service.preferences.add(check(await readJsonBody(c, maxBytes), schema)));
  },
};

export const preferences: RouteDef = {
  method: "GET",
  path: "/api/preferences",
  async respond(c, { service }) {
    return c.body(await service.preferences.pairs(), 200, {
      "Content-Type": "application/jsonl; charset=utf-8",
      "Content-Disposition": 'attachment; filename="preferences.jsonl"',
    });
  },
};
