/** @file `POST /api/sign-in`: the server's key for a cookie. */

import { z } from "zod";
import { readJson } from "../../body.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({ key: z.string().min(1, "type in the key that the server was started with") });

export const signIn: RouteDef = {
  method: "POST",
  path: "/api/sign-in",
  isOpen: true,
  async respond(c, context) {
    const { key } = await readJson(c, schema);
    await context.signIn.open(c, key);
    return c.json({ status: "ok" });
  },
};
