/** @file The routes where another server answers: bodies and streams go through, keys, quotas and logs stay here. */

import { z } from "zod";
import { readJsonBody } from "../../body.js";
import { ApiError } from "../errors.js";
import { eventStreamHeaders, frameStream } from "../sse.js";
import type { Upstream } from "../upstream.js";
import { framesOf, type UpstreamUsage, usageSchema } from "../upstream-stream.js";
import { health } from "./health.js";
import { metricsRoute } from "./metrics.js";
import { openapi } from "./openapi.js";
import type { CallContext, RouteDef } from "./route.js";

export interface UpstreamContext extends CallContext {
  readonly upstream: Upstream;
}

/** The other server checks the rest. */
const bodySchema = z.looseObject({
  model: z.string().min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
});

const answerSchema = z.looseObject({ usage: usageSchema.nullish() });

/** Responses that tell the client more than status and body. */
const passedHeaders = ["retry-after", "content-type"];

async function forwardBody(context: UpstreamContext, path: string, value: unknown): Promise<Response> {
  const { upstream, call, queue, logBodies } = context;
  if (logBodies) call.record.body = value;
  const parsed = bodySchema.safeParse(value);
  if (!parsed.success) {
    const { path: place, message } = parsed.error.issues[0]!;
    throw new ApiError(400, `${place.join(".") || "the body"}: ${message}`, { param: place.join(".") });
  }
  const body = parsed.data;
  call.record.model = body.model;
  call.record.stream = body.stream === true;
  const ticket = queue.enter(call.signal);
  let isHandedOn = false;
  try {
    await ticket.turn;
    // usage is asked for in any case, for quotas and logs
    const counted = body.stream ? { ...body, stream_options: { ...body.stream_options, include_usage: true } } : body;
    const response = await upstream.forward("POST", path, counted, call.signal);
    if (!response.ok || !body.stream) return await wholeResponse(response, context);
    isHandedOn = true;
    const frames = framesOf(response, context, body.stream_options?.include_usage === true, ticket);
    return new Response(frameStream(frames, call, context.onError), { headers: eventStreamHeaders });
  } finally {
    if (!isHandedOn) ticket.leave();
  }
}

async function wholeResponse(response: Response, { call }: CallContext): Promise<Response> {
  const text = await response.text();
  const answer = answerSchema.safeParse(jsonOf(text));
  if (!answer.success) {
    throw new ApiError(502, `the upstream server answered with status ${response.status} and no JSON object`, {
      code: "upstream_invalid",
    });
  }
  if (answer.data.usage) countUsage(answer.data.usage, call);
  if (!response.ok) call.fail({ status: response.status, code: "upstream_error", message: "the upstream refused" });
  const headers = passedHeaders.flatMap((name) => {
    const header = response.headers.get(name);
    return header === null ? [] : [[name, header] as [string, string]];
  });
  return new Response(text, { status: response.status, headers });
}

function countUsage({ prompt_tokens, completion_tokens = 0 }: UpstreamUsage, call: CallContext["call"]): void {
  call.countPrompt(prompt_tokens);
  if (completion_tokens > 0) call.countTokens(completion_tokens);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const post = (path: string, summary: string): RouteDef<UpstreamContext> => ({
  method: "POST",
  path,
  summary,
  respond: async (c, context) => forwardBody(context, path, await readJsonBody(c, context.maxBodyBytes)),
});

const get = (path: string, summary: string): RouteDef<UpstreamContext> => ({
  method: "GET",
  path,
  summary,
  respond: async (c, context) =>
    wholeResponse(await context.upstream.forward("GET", c.req.path, undefined, context.call.signal), context),
});

export const upstreamRoutes: readonly RouteDef<UpstreamContext>[] = [
  post("/v1/chat/completions", "Answers to a chat"),
  post("/v1/completions", "Text after a prompt"),
  post("/v1/embeddings", "Texts as vectors"),
  get("/v1/models", "The models that are served"),
  get("/v1/models/:id{.+}", "One model"),
  health,
  metricsRoute,
  openapi,
];
