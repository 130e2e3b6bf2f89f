/** @file `GET /api/document?path=…`: the text of an indexed document with its chunks. */

import { Refusal } from "../../refusal.js";
import type { RouteDef } from "./route.js";

export const document: RouteDef = {
  method: "GET",
  path: "/api/document",
  async respond(c, { service }) {
    const path = c.req.query("path");
    if (!path) throw new Refusal(400, "path: give that of an indexed document; GET /api/documents has them", "path");
    return c.json(await service.documents.show(path));
  },
};
