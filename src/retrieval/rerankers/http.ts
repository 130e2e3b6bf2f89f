/** @file A reranker behind an HTTP endpoint of the shape that Cohere, Jina, vLLM and llama.cpp's server share. */
import { ConfigError, DataError, messageOf } from "../../base/errors.js";
import type { Reranker } from "./reranker.js";

export interface HttpRerankerOptions {
  /** The whole address: `https://api.jina.ai/v1/rerank`. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token; never part of a message. */
  readonly apiKey?: string;
  /** Texts in one request. Default 100; more are sent in several, one after the other. */
  readonly batchSize?: number;
  /** Default 30,000. */
  readonly timeoutMs?: number;
  /** Default the runtime's. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * Scores by `POST url` with `{ model, query, documents, top_n }`, answered by `{ results: [{ index, relevance_score }] }`.
 * @throws ConfigError for an address that is none. `score` throws DataError when the endpoint cannot be reached, refuses, or
 * answers something else.
 */
export function httpReranker(options: HttpRerankerOptions): Reranker {
  const { url, model, batchSize = 100 } = options;
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new ConfigError("reranker: url must be the http or https address of a rerank endpoint");
  }
  return {
    model,
    async score(query, texts, signal) {
      const scores: number[] = [];
      for (let start = 0; start < texts.length; start += batchSize) {
        scores.push(...(await scoreBatch(options, query, texts.slice(start, start + batchSize), signal)));
      }
      return scores;
    },
  };
}

async function scoreBatch(
  options: HttpRerankerOptions,
  query: string,
  documents: readonly string[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const { url, model, apiKey, timeoutMs = 30_000, fetch = globalThis.fetch } = options;
  const fail = (detail: string, cause?: unknown): DataError =>
    new DataError(`reranking by ${new URL(url).host}: ${detail}`, { cause });
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let body: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({ model, query, documents, top_n: documents.length }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    body = await response.text();
  } catch (thrown) {
    if (signal?.aborted === true) throw thrown;
    throw fail(timeout.aborted ? `no answer within ${timeoutMs} ms` : `not reached (${messageOf(thrown)})`, thrown);
  }
  if (!response.ok) throw fail(`status ${response.status}: ${body.slice(0, 300)}`);
  const scores = scoresOf(body, documents.length);
  if (scores === undefined) {
    throw fail(
      `expected results with index and relevance_score for ${documents.length} texts, got ${body.slice(0, 300)}`,
    );
  }
  return scores;
}

/** Results come in order of score and name their text by its place. */
function scoresOf(body: string, numTexts: number): number[] | undefined {
  const scores = new Array<number | undefined>(numTexts).fill(undefined);
  for (const result of resultsOf(body)) {
    if (typeof result !== "object" || result === null || !("index" in result) || !("relevance_score" in result))
      continue;
    const { index, relevance_score } = result;
    if (typeof index === "number" && index in scores && typeof relevance_score === "number") {
      scores[index] = relevance_score;
    }
  }
  return scores.every((score) => score !== undefined) ? scores : undefined;
}

function resultsOf(body: string): readonly unknown[] {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== "object" || answer === null || !("results" in answer)) return [];
    return Array.isArray(answer.results) ? answer.results : [];
  } catch {
    return [];
  }
}
