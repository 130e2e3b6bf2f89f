/** @file `GET /page.js`: the page's script, a file of its own so that no inline code need be allowed. */
import type { RouteDef } from "./route.js";

export const pageScript: RouteDef = {
  method: "GET",
  path: "/page.js",
  respond: (c, context) => c.body(context.pageScript, 200, { "Content-Type": "text/javascript; charset=utf-8" }),
};
