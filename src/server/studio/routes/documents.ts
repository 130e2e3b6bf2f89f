/** @file `GET /api/documents`: what is indexed, and by which chunkers it can be cut. */
import type { RouteDef } from "./route.js";

export const documents: RouteDef = {
  method: "GET",
  path: "/api/documents",
  respond: async (c, { service }) => c.json(await service.documents.list()),
};
