/** @file `GET /v1/models` and `GET /v1/models/<id>`: what is served. */

import type { ServedModel } from "../service.js";
import { findModel, type RouteDef } from "./route.js";

export const wireModel = ({ id, created, ownedBy, contextLength, parent }: ServedModel) => ({
  id,
  object: "model",
  created,
  owned_by: ownedBy,
  // not OpenAI's, but other open servers' names for them
  max_model_len: contextLength,
  ...(parent !== undefined && { parent }),
});

export const models: RouteDef = {
  method: "GET",
  path: "/v1/models",
  summary: "The models that are served",
  respond: (c, { service }) => c.json({ object: "list", data: service.models().map(wireModel) }),
};

export const model: RouteDef = {
  method: "GET",
  // names on the hub have a slash
  path: "/v1/models/:id{.+}",
  summary: "One model",
  respond: (c, { service }) => c.json(wireModel(findModel(service, c.req.param("id")!))),
};
