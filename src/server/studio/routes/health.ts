/** @file `GET /health`: whether the server runs. */
import type { RouteDef } from "./route.js";

export const health: RouteDef = {
  method: "GET",
  path: "/health",
  isOpen: true,
  respond: (c) => c.json({ status: "ok" }),
};
