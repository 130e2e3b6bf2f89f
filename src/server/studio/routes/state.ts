/** @file `GET /api/state`: the state at this moment. */
import type { RouteDef } from "./route.js";

export const state: RouteDef = {
  method: "GET",
  path: "/api/state",
  respond: (c, { service }) => c.json(service.live.current),
};
