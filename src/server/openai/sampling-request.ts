/** @file How tokens are chosen where a request leaves that open. */

import type { SamplingRequest } from "./service.js";

/** What is given of it; undefined stands for absent. */
export type SamplingGiven = { readonly [Key in keyof SamplingRequest]?: SamplingRequest[Key] | undefined };

/**
 * What a request gives, else what the model's makers give, else temperature 1 and all tokens. Values that change nothing
 * are left out, so that a model which lacks them is not asked for them.
 */
export function samplingRequest(given: SamplingGiven, defaults: SamplingGiven = {}): SamplingRequest {
  const value = <Key extends keyof SamplingRequest>(key: Key) => given[key] ?? defaults[key];
  const [topK, minP, repetitionPenalty] = [value("topK"), value("minP"), value("repetitionPenalty")];
  const [presencePenalty, frequencyPenalty] = [value("presencePenalty"), value("frequencyPenalty")];
  const logitBias = value("logitBias");
  return {
    temperature: value("temperature") ?? 1,
    topP: value("topP") ?? 1,
    ...(topK !== undefined && { topK }),
    ...(minP && { minP }),
    ...(repetitionPenalty !== undefined && repetitionPenalty !== 1 && { repetitionPenalty }),
    ...(presencePenalty && { presencePenalty }),
    ...(frequencyPenalty && { frequencyPenalty }),
    ...(logitBias && logitBias.size > 0 && { logitBias }),
  };
}
