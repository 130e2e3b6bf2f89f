/** @file `GET /api/model/weights?id=…&name=…`: a matrix of a model in numbers that fit on a screen. */

import { Refusal } from "../../refusal.js";
import type { RouteDef } from "./route.js";

export const weights: RouteDef = {
  method: "GET",
  path: "/api/model/weights",
  async respond(c, { service }) {
    const { id, name } = c.req.query();
    if (!id || !name)
      throw new Refusal(400, "give id and name of a tensor; GET /api/model has them", id ? "name" : "id");
    return c.json(await service.models.weights(id, name));
  },
};
