/** @file `POST /api/plan`: memory and time of a training that has not begun; `POST /api/plan/changes`: what would make it fit. */

import { z } from "zod";
import { readJson } from "../../body.js";
import type { PlanChanges, PlanRequest } from "../wire/index.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({
  base: z.string().trim().min(1, "choose a model, or give the path of one").max(4096),
  method: z.string().max(40),
  algorithm: z.string().max(40),
  optimizer: z.string().max(40).optional(),
  precision: z.string().max(40),
  length: z
    .int("must be a whole number")
    .min(8)
    .max(2 ** 20),
  batchSize: z.int("must be a whole number").min(1).max(4096),
  memoryBytes: z.number().min(1).optional(),
});

export const plan: RouteDef = {
  method: "POST",
  path: "/api/plan",
  respond: async (c, { service }) => c.json(await service.plan.plan((await readJson(c, schema)) as PlanRequest)),
};

export const planChanges: RouteDef = {
  method: "POST",
  path: "/api/plan/changes",
  async respond(c, { service }) {
    const answer: PlanChanges = { changes: await service.plan.changes((await readJson(c, schema)) as PlanRequest) };
    return c.json(answer);
  },
};
