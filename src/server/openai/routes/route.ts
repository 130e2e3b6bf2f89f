/** @file What every route of the OpenAI-compatible server defines. */

import type { Context } from "hono";
import type { z } from "zod";
import type { Call } from "../call.js";
import { ApiError } from "../errors.js";
import type { ServerMetrics } from "../metrics/server-metrics.js";
import type { RequestQueue } from "../queue.js";
import type { EngineState, ServedModel, TextService } from "../service.js";

/** What routes work with. */
export interface ServerState {
  readonly metrics: ServerMetrics;
  readonly queue: RequestQueue;
  readonly maxBodyBytes: number;
  /** Bodies of requests go into the log. */
  readonly logBodies: boolean;
  /** Whether the server ends. */
  isDraining(): boolean;
  /** Undefined where the engine has no process of its own. */
  engineState(): EngineState | undefined;
  /** Hears of every failure that is a bug. */
  readonly onError: (thrown: unknown) => void;
}

export interface CallContext extends ServerState {
  readonly call: Call;
}

export interface RouteContext extends CallContext {
  readonly service: TextService;
}

/** A method and a path with their answer. Registered in `index.ts`. */
export interface RouteDef<Context_ extends CallContext = RouteContext> {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** What the OpenAPI document says of it. */
  readonly summary: string;
  readonly body?: z.ZodType;
  /** Needs no key and counts against no quota. */
  readonly isOpen?: true;
  /** @throws ApiError or Refusal for a request that is wrong; it becomes the response. */
  respond(c: Context, context: Context_): Response | Promise<Response>;
}

/** @throws ApiError 404 when no such model is served. */
export function findModel(service: TextService, id: string): ServedModel {
  const models = service.models();
  const model = models.find((served) => served.id === id);
  if (model) return model;
  throw new ApiError(
    404,
    `the model ${JSON.stringify(id)} is not served here; there is ${models.map((served) => served.id).join(", ")}`,
    { code: "model_not_found", param: "model" },
  );
}
