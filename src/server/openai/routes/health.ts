/** @file `GET /health`: whether the server takes requests. */

import type { CallContext, RouteDef } from "./route.js";

export const health: RouteDef<CallContext> = {
  method: "GET",
  path: "/health",
  isOpen: true,
  summary: "Whether the server takes requests: 200, or 503 while it ends or its engine does not run",
  respond(c, { isDraining, engineState }) {
    if (isDraining()) return c.json({ status: "draining" }, 503);
    const { status, restarts } = engineState() ?? { status: "ok" };
    return c.json({ status, ...(restarts !== undefined && { restarts }) }, status === "ok" ? 200 : 503);
  },
};
