/** @file `GET /api/choices`: what a run and a plan can be made of. */
import type { RouteDef } from "./route.js";

export const choices: RouteDef = {
  method: "GET",
  path: "/api/choices",
  respond: (c, { service }) => c.json(service.runs.choices()),
};
