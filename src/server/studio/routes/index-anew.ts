/** @file `POST /api/index`: makes the index anew, cut in another way. */

import { z } from "zod";
import { readJson } from "../../body.js";
import { cutSettings } from "./cut.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({ ...cutSettings, code: z.boolean() });

export const index: RouteDef = {
  method: "POST",
  path: "/api/index",
  async respond(c, { service }) {
    const { chunker, ...cutting } = await readJson(c, schema);
    service.documents.reindex({ ...cutting, ...(chunker !== undefined && { chunker }) });
    return c.json({ status: "started" }, 202);
  },
};
