/** @file `GET /openapi.json`: the routes and their bodies as an OpenAPI 3.1 document. */

import { z } from "zod";
import { routes } from "./index.js";
import type { CallContext, RouteDef } from "./route.js";

const error = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["message", "type", "param", "code"],
      properties: {
        message: { type: "string" },
        type: { type: "string" },
        param: { type: ["string", "null"] },
        code: { type: ["string", "null"] },
      },
    },
  },
} as const;

function operation({ summary, body, path }: RouteDef) {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  return {
    summary,
    ...(names.length > 0 && {
      parameters: names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    }),
    ...(body && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: z.toJSONSchema(body, { io: "input" }) } },
      },
    }),
    responses: {
      "200": { description: "The answer, in the form of OpenAI's interface" },
      default: { description: "An error", content: { "application/json": { schema: error } } },
    },
  };
}

export const openapi: RouteDef<CallContext> = {
  method: "GET",
  path: "/openapi.json",
  isOpen: true,
  summary: "This document",
  respond(c) {
    const paths: Record<string, Record<string, unknown>> = {};
    for (const route of Object.values<RouteDef>(routes)) {
      const path = route.path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}");
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
    }
    return c.json({
      openapi: "3.1.0",
      info: { title: "Tessera", version: "1", description: "OpenAI's interface over models of this machine" },
      components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
      security: [{ key: [] }, {}],
      paths,
    });
  },
};
