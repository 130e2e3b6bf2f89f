/** @file `GET /metrics`: measurements in Prometheus' text format. */

import type { CallContext, RouteDef } from "./route.js";

export const metricsRoute: RouteDef<CallContext> = {
  method: "GET",
  path: "/metrics",
  summary: "Measurements in Prometheus' text format",
  respond: (c, { metrics }) =>
    c.body(metrics.render(), 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }),
};
