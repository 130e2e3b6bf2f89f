/** @file `GET /api/runs/:id/points?from=120`: points of a run's curves from a step on. */

import { z } from "zod";
import { check } from "../../body.js";
import type { RunPoints } from "../wire/index.js";
import type { RouteDef } from "./route.js";

const schema = z.object({ from: z.coerce.number().int().min(0).default(0) });

export const runPoints: RouteDef = {
  method: "GET",
  path: "/api/runs/:id/points",
  async respond(c, { service }) {
    const { from } = check(c.req.query(), schema);
    const answer: RunPoints = { points: await service.runs.points(c.req.param("id")!, from) };
    return c.json(answer);
  },
};
