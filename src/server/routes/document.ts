/** @file `GET /api/document?path=…`: the text of an indexed document. */

import { z } from "zod";
import { check } from "../body.js";
import { Refusal } from "../refusal.js";
import type { DocumentResponse } from "../wire.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({ path: z.string().min(1) });

export const document: RouteDef = {
  method: "GET",
  path: "/api/document",
  async respond(c, { service }) {
    const { path } = check(c.req.query(), schema);
    const text = await service.document(path);
    if (text === undefined) {
      throw new Refusal(404, `no document ${JSON.stringify(path)} is indexed; take a path from a passage`, "path");
    }
    return c.json({ path, text } satisfies DocumentResponse);
  },
};
