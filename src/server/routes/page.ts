/** @file `GET /`: the page. */
import { pageHtml } from "../page/html.js";
import type { RouteDef } from "./route.js";

export const page: RouteDef = { method: "GET", path: "/", respond: (c) => c.html(pageHtml) };
