/** @file `POST /v1/chat/completions`: answers to a chat, streamed or at once. */

import { readJsonBody } from "../../body.js";
import { type ChatEvent, runChat } from "../chat-answer.js";
import { ApiError } from "../errors.js";
import { type ReadyChat, readyChat } from "../ready-chat.js";
import { allOrNone, inQueue } from "../run.js";
import { type ChatBody, chatSchema } from "../schemas/bodies.js";
import { chatTurns } from "../schemas/messages.js";
import { checkTogether, samplingOf, seedOf, stopsOf } from "../schemas/sampling.js";
import { constraintOf, toolPlanOf } from "../schemas/tools.js";
import type { ServedModel } from "../service.js";
import { eventStreamHeaders, frameStream } from "../sse.js";
import type { ToolUse } from "../tool-plan.js";
import { callId, chatDelta, chatLogprobs, envelope, usageOf, type WireToolCall } from "../wire.js";
import { acceptBody } from "./accept-body.js";
import { findModel, type RouteContext, type RouteDef } from "./route.js";

export const chatCompletions: RouteDef = {
  method: "POST",
  path: "/v1/chat/completions",
  summary: "Answers to a chat",
  body: chatSchema,
  async respond(c, context) {
    const body = acceptBody(await readJsonBody(c, context.maxBodyBytes), chatSchema, c, context);
    const model = findModel(context.service, body.model);
    const { ticket, prepared } = await inQueue(context, async () => {
      const chat = await prepare(body, model, context);
      const seed = seedOf(body);
      context.call.record.seed = seed;
      const texts = Array.from({ length: body.n }, (_, i) => chat.generate(seed + i));
      return { chat, generations: await allOrNone(texts) };
    });
    const { chat, generations } = prepared;
    const readers = generations.map(() => chat.reader());
    const events = runChat(context, ticket, generations, readers);
    if (body.stream) {
      const stream = frameStream(chunks(body, events, chat.use, context), context.call, context.onError);
      return c.body(stream, 200, eventStreamHeaders);
    }
    return c.json(await wholeAnswer(body, events, chat.use, context));
  },
};

/** The chat, checked; nothing is computed yet. */
function prepare(body: ChatBody, { defaults }: ServedModel, { service, call }: RouteContext): Promise<ReadyChat> {
  checkTogether(body);
  if (body.top_logprobs !== undefined && !body.logprobs) {
    throw new ApiError(400, "top_logprobs needs logprobs: true", { param: "top_logprobs", code: "invalid_value" });
  }
  const constraint = constraintOf(body);
  const maxTokens = maxTokensOf(body);
  return readyChat(service, {
    model: body.model,
    messages: chatTurns(body.messages),
    plan: toolPlanOf(body),
    variables: body.chat_template_kwargs,
    ...(constraint && { constraint }),
    ...(maxTokens !== undefined && { maxTokens }),
    sampling: samplingOf(body, defaults),
    stop: stopsOf(body),
    ...(body.logprobs && { logprobs: body.top_logprobs ?? 0 }),
    signal: call.signal,
  });
}

function maxTokensOf({ max_tokens, max_completion_tokens }: ChatBody): number | undefined {
  if (max_tokens !== undefined && max_completion_tokens !== undefined && max_tokens !== max_completion_tokens) {
    throw new ApiError(400, "max_tokens and max_completion_tokens are the same limit, but differ; give one", {
      param: "max_tokens",
      code: "invalid_value",
    });
  }
  return max_completion_tokens ?? max_tokens;
}

async function* chunks(
  body: ChatBody,
  events: AsyncGenerator<ChatEvent, void>,
  use: ToolUse | undefined,
  { call }: RouteContext,
): AsyncGenerator<unknown, void> {
  const withUsage = body.stream_options?.include_usage === true;
  const head = {
    ...envelope("chat.completion.chunk", "chatcmpl", body.model, call),
    ...(withUsage && { usage: null }),
  };
  const chunk = (index: number, delta: unknown, logprobs: unknown, finish_reason: string | null) => ({
    ...head,
    choices: [{ index, delta, logprobs, finish_reason }],
  });
  for (let i = 0; i < body.n; i++) yield chunk(i, { role: "assistant", content: "", refusal: null }, null, null);
  for await (const event of events) {
    const delta = chatDelta(event, use?.format.idLength);
    const logprobs = event.logprobs ? chatLogprobs(event.logprobs) : null;
    if (Object.keys(delta).length > 0 || logprobs) yield chunk(event.index, delta, logprobs, null);
    if (event.finishReason !== undefined) yield chunk(event.index, {}, null, event.finishReason);
  }
  if (withUsage) yield { ...head, choices: [], usage: usageOf(call) };
}

async function wholeAnswer(
  body: ChatBody,
  events: AsyncGenerator<ChatEvent, void>,
  use: ToolUse | undefined,
  { call }: RouteContext,
): Promise<unknown> {
  const answers = Array.from({ length: body.n }, () => ({
    content: "",
    calls: [] as WireToolCall[],
    logprobs: [] as NonNullable<ChatEvent["logprobs"]>[number][],
    finishReason: null as string | null,
  }));
  for await (const { index, deltas, logprobs, finishReason } of events) {
    const answer = answers[index]!;
    for (const delta of deltas) {
      if (delta.type === "text") answer.content += delta.text;
      else if (delta.type === "arguments") answer.calls[delta.index]!.function.arguments += delta.text;
      else {
        const called = { name: delta.name, arguments: "" };
        answer.calls.push({ id: callId(use?.format.idLength), type: "function", function: called });
      }
    }
    answer.logprobs.push(...(logprobs ?? []));
    answer.finishReason = finishReason ?? answer.finishReason;
  }
  const choices = answers.map(({ content, calls, logprobs, finishReason }, index) => ({
    index,
    message: {
      role: "assistant",
      content: content === "" && calls.length > 0 ? null : content,
      refusal: null,
      ...(calls.length > 0 && { tool_calls: calls }),
    },
    logprobs: body.logprobs ? chatLogprobs(logprobs) : null,
    finish_reason: finishReason,
  }));
  return { ...envelope("chat.completion", "chatcmpl", body.model, call), choices, usage: usageOf(call) };
}
