/** @file `GET /api/events`: the state and what changes of it, as server-sent events. */

import { eventStream } from "../../event-stream.js";
import type { RouteDef } from "./route.js";

export const events: RouteDef = {
  method: "GET",
  path: "/api/events",
  respond: (c, { service: { live } }) =>
    c.body(
      eventStream((signal) => live.events(signal)),
      200,
      { "Content-Type": "text/event-stream; charset=utf-8" },
    ),
};
