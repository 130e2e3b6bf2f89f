/** @file `POST /api/document/cut`: a document cut in another way; the index stays as it is. */

import { z } from "zod";
import { readJson } from "../../body.js";
import type { RouteDef } from "./route.js";

/** What every body has that says how to cut. */
export const cutSettings = {
  chunker: z.string().optional(),
  maxTokens: z.int().min(1).max(1_000_000),
  overlapTokens: z.int().min(0).max(1_000_000),
};

const schema = z.strictObject({ path: z.string().min(1), hash: z.string(), ...cutSettings });

export const cut: RouteDef = {
  method: "POST",
  path: "/api/document/cut",
  async respond(c, { service }) {
    const { chunker, ...request } = await readJson(c, schema);
    // a page that has asked for another way does not wait for this one
    const { signal } = c.req.raw;
    return c.json(await service.documents.cut({ ...request, ...(chunker !== undefined && { chunker }) }, signal));
  },
};
