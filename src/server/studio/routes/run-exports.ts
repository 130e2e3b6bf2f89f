/** @file `POST /api/runs/:id/exports`: a run's model in another format; answered when it is there. */

import { z } from "zod";
import { readJson } from "../../body.js";
import type { ExportRequest } from "../wire/index.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({ format: z.string().max(40), dtype: z.string().max(40).optional() });

export const runExports: RouteDef = {
  method: "POST",
  path: "/api/runs/:id/exports",
  async respond(c, { service }) {
    await service.runs.export(c.req.param("id")!, (await readJson(c, schema)) as ExportRequest);
    return c.json({ status: "ok" });
  },
};
