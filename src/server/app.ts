/** @file The server of one knowledge service as a function of requests, on web standards only. */

import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { addSecurityHeaders, requireOwnName, requireSameOrigin } from "./guard.js";
import { describeFailure, Refusal } from "./refusal.js";
import { routes } from "./routes/index.js";
import type { KnowledgeService } from "./service.js";

export interface AppOptions {
  /** The page's script, sent as it is: `readPageScript` of `adapters/node.ts` has it. */
  readonly pageScript: string;
  /** Name or address that the server listens on. Default: only loopback names are answered. */
  readonly host?: string;
  /** Hears of every failure that is a bug. Default: writes it to the console. */
  readonly onError?: (thrown: unknown) => void;
}

/**
 * Page and HTTP endpoint of a service: `GET /`, `GET /health`, `GET /api/about`, `POST /api/search`,
 * `POST /api/complete`, `GET /api/document`. Errors are JSON: `{ error: { message, field? } }`.
 */
export function createApp(service: KnowledgeService, options: AppOptions): Hono {
  const { pageScript, host, onError = console.error } = options;
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
  for (const { method, path, respond } of Object.values(routes)) {
    app.on(method, path, (c) => respond(c, { service, pageScript, onError }));
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
