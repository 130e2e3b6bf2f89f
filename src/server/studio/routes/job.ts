/** @file `POST /api/job`: starts the main job, goes on with it, or stops it. */

import { z } from "zod";
import { readJson } from "../../body.js";
import type { RouteDef } from "./route.js";

const schema = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("start"), seconds: z.number().min(1).max(86_400).optional() }),
  z.strictObject({ action: z.literal("stop") }),
]);

export const job: RouteDef = {
  method: "POST",
  path: "/api/job",
  async respond(c, { service }) {
    const request = await readJson(c, schema);
    if (request.action === "stop") service.job.stop();
    else service.job.start(request.seconds === undefined ? {} : { seconds: request.seconds });
    return c.json(service.live.current.job);
  },
};
