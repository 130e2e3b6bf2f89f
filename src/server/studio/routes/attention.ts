/** @file `POST /api/model/attention`: how much each token of a text looks at each before it. */

import { z } from "zod";
import { readJson } from "../../body.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({
  id: z.string(),
  text: z.string().min(1, "write a few words").max(2000, "at most 2,000 characters; shorten it"),
  layer: z.int().min(0),
});

export const attention: RouteDef = {
  method: "POST",
  path: "/api/model/attention",
  async respond(c, { service }) {
    return c.json(await service.models.attention(await readJson(c, schema)));
  },
};
