/** @file What every route defines. */

import type { Context } from "hono";
import type { Assets } from "../assets.js";
import type { StudioService } from "../service.js";
import type { SignIn } from "../sign-in.js";

export interface RouteContext {
  readonly service: StudioService;
  readonly assets: Assets;
  readonly signIn: SignIn;
  /** Hears of every failure that is a bug. */
  readonly onError: (thrown: unknown) => void;
}

/** A method and a path with their answer. Registered in `index.ts`. */
export interface RouteDef {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Whether it is answered without the key too. Default false. */
  readonly isOpen?: true;
  /** @throws Refusal for a request that is wrong; it becomes the response. */
  respond(c: Context, context: RouteContext): Response | Promise<Response>;
}
