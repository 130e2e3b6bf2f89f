/** @file `POST /api/runs/:id`: pauses a run, goes on with it, ends it for good, or removes it. */

import { z } from "zod";
import { readJson } from "../../body.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({ action: z.enum(["pause", "resume", "stop", "remove"]) });

export const runAction: RouteDef = {
  method: "POST",
  path: "/api/runs/:id",
  async respond(c, { service }) {
    const { action } = await readJson(c, schema);
    await service.runs.act(c.req.param("id")!, action);
    return c.json({ status: "ok" });
  },
};
