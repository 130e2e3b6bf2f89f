/** @file `GET /api/model?id=…`: what a model is made of. */

import { Refusal } from "../../refusal.js";
import type { RouteDef } from "./route.js";

export const model: RouteDef = {
  method: "GET",
  path: "/api/model",
  async respond(c, { service }) {
    const id = c.req.query("id");
    if (!id) throw new Refusal(400, "id: give that of a model; GET /api/state has them as writers", "id");
    return c.json(await service.models.facts(id));
  },
};
