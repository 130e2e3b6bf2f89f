/** @file `GET /` and `GET /assets/…`: the built page. It holds no facts, so it is sent without the key. */

import type { Context } from "hono";
import { Refusal } from "../../refusal.js";
import type { Assets } from "../assets.js";
import type { RouteDef } from "./route.js";

export const page: RouteDef = {
  method: "GET",
  path: "/",
  isOpen: true,
  respond: (c, { assets }) => send(c, assets, "index.html"),
};

/** Names of these files change with what is in them. */
export const pageAssets: RouteDef = {
  method: "GET",
  path: "/assets/:name",
  isOpen: true,
  respond: (c, { assets }) => send(c, assets, `assets/${c.req.param("name")}`),
};

function send(c: Context, assets: Assets, name: string): Response {
  const asset = assets.get(name);
  if (!asset) throw new Refusal(404, `the page has no file ${JSON.stringify(name)}; load it again from /`);
  return c.body(asset.bytes, 200, { "Content-Type": asset.mediaType });
}
