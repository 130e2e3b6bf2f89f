/** @file `GET /api/about`: what is indexed and which model writes. */
import type { AboutResponse } from "../wire.js";
import type { RouteDef } from "./route.js";

export const about: RouteDef = {
  method: "GET",
  path: "/api/about",
  respond(c, { service: { folder, numDocuments, numChunks, model, topics } }) {
    return c.json({ folder, numDocuments, numChunks, model, topics } satisfies AboutResponse);
  },
};
