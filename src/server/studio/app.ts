/** @file The Studio as a function of requests, on web standards only: its page and the routes behind it. */

import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { addSecurityHeaders, requireOwnName, requireSameOrigin } from "../guard.js";
import { describeFailure, Refusal } from "../refusal.js";
import type { Assets } from "./assets.js";
import { routes } from "./routes/index.js";
import type { StudioService } from "./service.js";
import { SignIn } from "./sign-in.js";

export interface StudioAppOptions {
  /** The built page: `readStudioAssets` of `adapters/node.ts` has it. */
  readonly assets: Assets;
  /** Name or address that the server listens on. Default: only loopback names are answered. */
  readonly host?: string;
  /** Asked for before anything but the page itself is answered. Default: none. */
  readonly key?: string;
  /** Hears of every failure that is a bug. Default: writes it to the console. */
  readonly onError?: (thrown: unknown) => void;
}

/** Page and HTTP endpoints of a Studio. Errors are JSON: `{ error: { message, field? } }`. */
export function createStudioApp(service: StudioService, options: StudioAppOptions): Hono {
  const { assets, host, key, onError = console.error } = options;
  const signIn = new SignIn(key);
  const app = new Hono();
  app.use(addSecurityHeaders);
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const allowed = methods.join(", ");
        const refusal = new Refusal(405, `${c.req.path} takes ${allowed}, not ${c.req.method}`);
        return c.json(describeFailure(refusal, onError).body, 405, { Allow: allowed });
      },
    }),
  );
  app.use(requireOwnName(host));
  app.use("/api/*", requireSameOrigin);
  for (const { method, path, isOpen, respond } of Object.values(routes)) {
    if (!isOpen) app.on(method, path, signIn.required);
    app.on(method, path, (c) => respond(c, { service, assets, signIn, onError }));
  }
  app.notFound((c) => {
    const refusal = new Refusal(404, `there is no ${c.req.path} here; the page is at /`);
    return c.json(describeFailure(refusal, onError).body, 404);
  });
  app.onError((thrown, c) => {
    const { status, body } = describeFailure(thrown, onError);
    return c.json(body, status);
  });
  return app;
}
