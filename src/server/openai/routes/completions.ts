/** @file `POST /v1/completions`: text after prompts, streamed or at once. */

import { readJsonBody } from "../../body.js";
import { allOrNone, type ChoicePiece, inQueue, runChoices } from "../run.js";
import { type CompletionBody, completionSchema } from "../schemas/bodies.js";
import { checkTogether, samplingOf, seedOf, stopsOf } from "../schemas/sampling.js";
import type { Generation, Prompt, ServedModel, TextPiece } from "../service.js";
import { eventStreamHeaders, frameStream } from "../sse.js";
import { completionLogprobs, envelope, usageOf } from "../wire.js";
import { acceptBody } from "./accept-body.js";
import { findModel, type RouteContext, type RouteDef } from "./route.js";

/** OpenAI's default. */
const defaultMaxTokens = 16;

export const completions: RouteDef = {
  method: "POST",
  path: "/v1/completions",
  summary: "Text after a prompt",
  body: completionSchema,
  async respond(c, context) {
    const body = acceptBody(await readJsonBody(c, context.maxBodyBytes), completionSchema, c, context);
    const model = findModel(context.service, body.model);
    const { ticket, prepared } = await inQueue(context, () => prepare(body, model, context));
    const { pieces } = runChoices(context, ticket, prepared, body.n);
    if (body.stream) {
      const stream = frameStream(chunks(body, pieces, context), context.call, context.onError);
      return c.body(stream, 200, eventStreamHeaders);
    }
    return c.json(await wholeTexts(body, pieces, context));
  },
};

/** Texts for each prompt one after the other: text `j` of prompt `i` is the choice `i · n + j`. */
async function prepare(
  body: CompletionBody,
  { defaults }: ServedModel,
  { service, call }: RouteContext,
): Promise<Generation[]> {
  checkTogether(body);
  const seed = seedOf(body);
  call.record.seed = seed;
  const texts = promptsOf(body.prompt).flatMap((prompt) => {
    const request = {
      model: body.model,
      prompt,
      maxTokens: body.max_tokens ?? defaultMaxTokens,
      sampling: samplingOf(body, defaults),
      stop: stopsOf(body),
      ...(body.logprobs !== undefined && { logprobs: body.logprobs }),
      signal: call.signal,
    };
    return Array.from({ length: body.n }, (_, j) => service.generate({ ...request, seed: seed + j }));
  });
  return allOrNone(texts);
}

function promptsOf(prompt: CompletionBody["prompt"]): Prompt[] {
  if (typeof prompt === "string") return [{ kind: "plain", text: prompt }];
  if (isIds(prompt)) return [{ kind: "ids", ids: prompt }];
  return prompt.map((one) => (typeof one === "string" ? { kind: "plain", text: one } : { kind: "ids", ids: one }));
}

function isIds(prompt: string[] | number[] | number[][]): prompt is number[] {
  return typeof prompt[0] === "number";
}

async function* chunks(
  body: CompletionBody,
  pieces: AsyncGenerator<ChoicePiece, void>,
  { call }: RouteContext,
): AsyncGenerator<unknown, void> {
  const withUsage = body.stream_options?.include_usage === true;
  const head = { ...envelope("text_completion", "cmpl", body.model, call), ...(withUsage && { usage: null }) };
  const lengths = new Map<number, number>();
  for await (const { index, piece } of pieces) {
    const { text, finishReason = null } = piece;
    if (text === "" && !piece.logprobs && finishReason === null) continue;
    const offset = lengths.get(index) ?? 0;
    const logprobs = piece.logprobs ? completionLogprobs(piece.logprobs, offset) : null;
    yield { ...head, choices: [{ index, text, logprobs, finish_reason: finishReason }] };
    lengths.set(index, offset + text.length);
  }
  if (withUsage) yield { ...head, choices: [], usage: usageOf(call) };
}

async function wholeTexts(
  body: CompletionBody,
  pieces: AsyncGenerator<ChoicePiece, void>,
  { call }: RouteContext,
): Promise<unknown> {
  const texts = new Map<number, TextPiece[]>();
  for await (const { index, piece } of pieces) texts.set(index, [...(texts.get(index) ?? []), piece]);
  const choices = [...texts]
    .sort(([a], [b]) => a - b)
    .map(([index, parts]) => ({
      index,
      text: parts.map(({ text }) => text).join(""),
      logprobs:
        body.logprobs === undefined
          ? null
          : completionLogprobs(
              parts.flatMap(({ logprobs = [] }) => logprobs),
              0,
            ),
      finish_reason: parts.at(-1)!.finishReason ?? null,
    }));
  return { ...envelope("text_completion", "cmpl", body.model, call), choices, usage: usageOf(call) };
}
