/** @file `POST /api/uploads?name=rows.jsonl`: keeps a file of examples, whose bytes are the body. */

import { z } from "zod";
import { check, readBytes } from "../../body.js";
import { Refusal } from "../../refusal.js";
import type { RouteDef } from "./route.js";

const schema = z.object({ name: z.string().min(1).max(255) });

export const uploads: RouteDef = {
  method: "POST",
  path: "/api/uploads",
  async respond(c, { service }) {
    const { name } = check(c.req.query(), schema);
    const most = service.runs.choices().uploadBytes;
    const refuse = () =>
      new Refusal(
        413,
        `a file may have at most ${most / 2 ** 20} MB here; put a larger one on the server's machine and give its path`,
        "data",
      );
    // what says its size is refused before it is sent
    if (Number(c.req.header("content-length")) > most) throw refuse();
    return c.json(await service.runs.upload(name, await readBytes(c.req.raw.body, most, refuse)), 201);
  },
};
