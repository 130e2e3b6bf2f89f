/** @file OpenAI's HTTP interface over a text service or another server, as a function of requests on web standards only. */

import { type Context, Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { addSecurityHeaders, requireOwnName, requireSameOrigin } from "../guard.js";
import { Call, type CallRecord } from "./call.js";
import { ApiError, apiErrorOf } from "./errors.js";
import { type ApiKey, Keyring, quotaHeaders, refuseKeyInQuery, takeRequest } from "./keys.js";
import { type EventLoopDelay, ServerMetrics } from "./metrics/server-metrics.js";
import { OpenCalls } from "./open-calls.js";
import { RequestQueue } from "./queue.js";
import { routes } from "./routes/index.js";
import type { CallContext, RouteDef, ServerState } from "./routes/route.js";
import { upstreamRoutes } from "./routes/upstream.js";
import type { EngineState, TextService } from "./service.js";
import { abandon } from "./sse.js";
import type { Upstream } from "./upstream.js";

export interface OpenAiAppOptions {
  /** Name or address that the server listens on. Without keys, requests by other names are refused; default loopback. */
  readonly host?: string;
  /** Who may send requests. Default: everyone who reaches the server. */
  readonly keys?: readonly ApiKey[];
  /** Sites whose pages may send requests, such as `https://example.org`, or `*`. Default none. */
  readonly cors?: readonly string[];
  /** Default 8 MiB. */
  readonly maxBodyBytes?: number;
  /** Requests that may wait for their turn. Default 64. */
  readonly maxWaiting?: number;
  /** Longest time of a request, waiting included. Default 600. */
  readonly timeoutSeconds?: number;
  /** Hears of every request at its end, `/health` and `/metrics` aside. Default: nobody. */
  readonly log?: (record: CallRecord) => void;
  /** Logs bodies, and with them prompts. Default false. */
  readonly logBodies?: boolean;
  /** For `/metrics`; reading it needs more than web standards. */
  readonly eventLoopDelay?: EventLoopDelay;
  /** Clock of quotas in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
  /** Hears of every failure that is a bug. Default: writes it to the console. */
  readonly onError?: (thrown: unknown) => void;
}

export interface OpenAiApp {
  readonly app: Hono<Variables>;
  /**
   * Takes no more requests, lets those in flight finish for `limitSeconds`, then ends the rest with an error that says so.
   * Gives the number of those.
   */
  drain(limitSeconds: number): Promise<number>;
}

interface Variables {
  Variables: { call: Call };
}

/** Failures, sizes, times and quotas are the same over a service of one's own and over another server. */
export function createOpenAiApp(backend: TextService | Upstream, options: OpenAiAppOptions = {}): OpenAiApp {
  const { timeoutSeconds = 600, maxWaiting = 64, maxBodyBytes = 8 * 2 ** 20, logBodies = false } = options;
  const { onError = console.error, log = () => {}, eventLoopDelay } = options;
  const calls = new OpenCalls();
  const queue = new RequestQueue(backend.concurrency, maxWaiting);
  const engineState = (): EngineState | undefined => ("forward" in backend ? undefined : backend.engineState?.());
  const metrics = new ServerMetrics(queue, () => calls.size, {
    engineState,
    delay: eventLoopDelay,
    speculation: "speculation" in backend ? backend.speculation : undefined,
  });
  const isDraining = (): boolean => calls.isDraining;
  const state: ServerState = { metrics, queue, maxBodyBytes, logBodies, isDraining, engineState, onError };
  const app = new Hono<Variables>();
  const answer = (c: Context<Variables>, error: ApiError, headers: Record<string, string> = {}): Response => {
    c.get("call").fail(error);
    return c.json(error.body, error.status, { ...error.headers, ...headers });
  };

  app.use(async (c, next) => {
    const call = new Call(crypto.randomUUID().replaceAll("-", ""), c.req.method, c.req.path);
    c.set("call", call);
    calls.add(call, timeoutSeconds);
    c.req.raw.signal.addEventListener("abort", () => abandon(call), { once: true });
    call.ended.then(() => report(call, metrics, log)).catch(onError);
    await next();
    c.header("X-Request-Id", call.id);
    call.record.status ||= c.res.status;
    if (!call.isStream) call.end();
  });
  app.use(addSecurityHeaders);
  if (options.cors?.length) app.use(corsFor(options.cors));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const allowed = methods.join(", ");
        return answer(c, new ApiError(405, `${c.req.path} takes ${allowed}, not ${c.req.method}`), { Allow: allowed });
      },
    }),
  );
  // a key is proof enough: pages of other sites have none
  if (!options.keys) app.use(requireOwnName(options.host));
  app.use(requireKnownOrigin(options.cors ?? []));
  const guard = letIn(options, calls);
  const add = <T extends CallContext>(route: RouteDef<T>, contextOf: (call: Call) => T): void => {
    app.on(route.method, route.path, async (c) => {
      const call = c.get("call");
      call.route = route.path;
      if (!route.isOpen) await guard(c, call);
      return route.respond(c, contextOf(call));
    });
  };
  if ("forward" in backend) {
    for (const route of upstreamRoutes) add(route, (call) => ({ ...state, upstream: backend, call }));
  } else {
    for (const route of Object.values(routes)) add(route, (call) => ({ ...state, service: backend, call }));
  }
  app.notFound((c) =>
    answer(c, new ApiError(404, `there is no ${c.req.path} here; /openapi.json says what is`, { code: "unknown_url" })),
  );
  app.onError((thrown, c) => answer(c, apiErrorOf(thrown, onError)));
  return { app, drain: (limitSeconds) => calls.drain(limitSeconds) };
}

/** Checks key, quota and whether the server still takes requests. */
function letIn({ keys, now }: OpenAiAppOptions, calls: OpenCalls) {
  const keyring = keys && new Keyring(keys, now);
  return async (c: Context, call: Call): Promise<void> => {
    refuseKeyInQuery(c.req.url);
    if (keyring) {
      call.client = await keyring.clientOf(c.req.header("authorization"));
      call.record.key = call.client.name;
    }
    if (calls.isDraining) {
      c.header("Connection", "close");
      throw new ApiError(503, "the server is shutting down; try another, or again soon", {
        code: "server_shutting_down",
        retryAfterSeconds: 5,
      });
    }
    if (!call.client || c.req.method !== "POST") return;
    takeRequest(call.client);
    for (const [name, value] of Object.entries(quotaHeaders(call.client))) c.header(name, value);
  };
}

function report(call: Call, metrics: ServerMetrics, log: (record: CallRecord) => void): void {
  const { status, promptTokens = 0, completionTokens = 0, cancelled } = call.record;
  metrics.requests.add(1, { route: call.route, status: String(status) });
  metrics.duration.observe(call.seconds);
  metrics.tokens.add(promptTokens, { kind: "prompt" });
  metrics.tokens.add(completionTokens, { kind: "completion" });
  if (cancelled) metrics.cancelled.add(1);
  if (call.route !== "/health" && call.route !== "/metrics") log(call.record);
}

function corsFor(sites: readonly string[]): MiddlewareHandler {
  return cors({
    origin: sites.includes("*") ? "*" : [...sites],
    allowMethods: ["GET", "POST"],
    exposeHeaders: ["X-Request-Id", "Retry-After", "X-Ignored-Parameters"],
    maxAge: 600,
  });
}

/** Refuses pages of other sites than those named, as the server's own pages are. */
function requireKnownOrigin(sites: readonly string[]): MiddlewareHandler {
  return (c, next) => {
    const origin = c.req.header("origin");
    const isKnown = origin !== undefined && (sites.includes("*") || sites.includes(origin));
    return isKnown ? next() : requireSameOrigin(c, next);
  };
}
