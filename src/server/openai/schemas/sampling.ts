/** @file Parameters that chat and plain completions share. */

import { z } from "zod";
import { ApiError } from "../errors.js";
import { type SamplingGiven, samplingRequest } from "../sampling-request.js";
import type { SamplingRequest } from "../service.js";

/** Most texts of one request. */
const maxChoices = 16;

const stopString = z.string().min(1, "a stop string must have at least one character").max(1000);

/** Ranges are OpenAI's; `top_k`, `min_p` and `repetition_penalty` are what open servers add to them. */
export const samplingShape = {
  model: z.string().min(1),
  max_tokens: z.int().min(1).optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(1).optional(),
  min_p: z.number().min(0).max(1).optional(),
  repetition_penalty: z.number().gt(0).max(10).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  logit_bias: z
    .record(z.string().regex(/^\d+$/, "expected token ids as keys"), z.number().min(-100).max(100))
    .optional(),
  seed: z.int().optional(),
  stop: z
    .union([stopString, z.array(stopString).max(16)], {
      error: "expected a string or at most 16 strings, none of them empty",
    })
    .default([]),
  n: z.int().min(1).max(maxChoices).default(1),
  stream: z.boolean().default(false),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.literal(false).optional() })
    .optional(),
};

const samplingSchema = z.object(samplingShape);
export type SamplingBody = z.output<typeof samplingSchema>;

/** @throws ApiError where parameters contradict each other. */
export function checkTogether({ stream, stream_options }: SamplingBody): void {
  if (stream_options && !stream) {
    throw new ApiError(400, "stream_options needs stream: true", { param: "stream_options", code: "invalid_value" });
  }
}

/** What the body leaves open is as `defaults` say. */
export function samplingOf(body: SamplingBody, defaults: SamplingGiven | undefined): SamplingRequest {
  const { logit_bias = {} } = body;
  const given = {
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    minP: body.min_p,
    repetitionPenalty: body.repetition_penalty,
    presencePenalty: body.presence_penalty,
    frequencyPenalty: body.frequency_penalty,
    logitBias: new Map(Object.entries(logit_bias).map(([id, value]) => [Number(id), value])),
  };
  return samplingRequest(given, defaults);
}

/** The seed asked for, or one that is drawn and told, so that every text can be replayed. */
export function seedOf({ seed }: { readonly seed?: number | undefined }): number {
  return seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
}

export const stopsOf = ({ stop }: SamplingBody): readonly string[] => (typeof stop === "string" ? [stop] : stop);
