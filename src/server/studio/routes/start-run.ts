/** @file `POST /api/runs`: starts a tuning run; answered once data and model have been read. */

import { z } from "zod";
import { readJson } from "../../body.js";
import type { RunRequest } from "../wire/index.js";
import type { RouteDef } from "./route.js";

const count = (most: number) => z.int("must be a whole number").min(1).max(most).optional();

export const runSchema = z.strictObject({
  name: z.string().trim().min(1, "give it a name").max(80).optional(),
  base: z.string().trim().min(1, "choose a model, or give the path of one").max(4096),
  data: z.string().trim().min(1, "give the path of a file of examples, or upload one").max(4096),
  method: z.string().max(40),
  algorithm: z.string().max(40).optional(),
  optimizer: z.string().max(40).optional(),
  precision: z.string().max(40).optional(),
  length: z
    .int("must be a whole number")
    .min(8)
    .max(2 ** 20)
    .optional(),
  batchSize: count(4096),
  epochs: z.number().positive().max(10_000).optional(),
  steps: count(10_000_000),
  learningRate: z.number().positive().max(100).optional(),
  memoryBytes: count(2 ** 50),
});

export const startRun: RouteDef = {
  method: "POST",
  path: "/api/runs",
  async respond(c, { service }) {
    const request = await readJson(c, runSchema);
    return c.json(await service.runs.start(request as RunRequest), 201);
  },
};
