/** @file What every route defines. */

import type { Context } from "hono";
import type { KnowledgeService } from "../service.js";

export interface RouteContext {
  readonly service: KnowledgeService;
  /** The page's script. */
  readonly pageScript: string;
  /** Hears of every failure that is a bug. */
  readonly onError: (thrown: unknown) => void;
}

/** A method and a path with their answer. Registered in `index.ts`. */
export interface RouteDef {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** @throws Refusal for a request that is wrong; it becomes the response. */
  respond(c: Context, context: RouteContext): Response | Promise<Response>;
}
