/** @file `GET /page.css`: the page's style, a file of its own so that no inline style need be allowed. */
import { pageCss } from "../page/css.js";
import type { RouteDef } from "./route.js";

export const pageStyle: RouteDef = {
  method: "GET",
  path: "/page.css",
  respond: (c) => c.body(pageCss, 200, { "Content-Type": "text/css; charset=utf-8" }),
};
