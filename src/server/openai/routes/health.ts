/** @file `GET /health`: whether the server takes requests. */

import type { CallContext, RouteDef } from "./route.js";

export const health: RouteDef<CallContext> = {
  method: "GET",
  path: "/health",
  isOpen: true,
  summary: "Whether the server takes requests: 200, or 503 while it ends",
  respond: (c, { isDraining }) => (isDraining() ? c.json({ status: "draining" }, 503) : c.json({ status: "ok" })),
};
