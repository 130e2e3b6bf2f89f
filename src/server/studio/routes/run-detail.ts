/** @file `GET /api/runs/:id`: plan, settings, samples, report and files of a run. */
import type { RouteDef } from "./route.js";

export const runDetail: RouteDef = {
  method: "GET",
  path: "/api/runs/:id",
  respond: async (c, { service }) => c.json(await service.runs.detail(c.req.param("id")!)),
};
