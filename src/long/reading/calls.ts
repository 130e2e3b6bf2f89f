/** @file Calls of a model: some at once, each answer stored, the first failure ends all. */

import { CapacityError, ConfigError, messageOf, TesseraError } from "../../base/errors.js";
import type { Span } from "../../chunk/index.js";
import type { Part, ReadingModel, ReadingRequest } from "./reading.js";

/** A call that failed, and where in the document it was. */
export class ReadingError extends TesseraError {
  constructor(
    message: string,
    readonly spans: readonly Span[],
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A quarter of the context, at most 512. */
export const usualAnswerTokens = ({ contextLength }: Pick<ReadingModel, "contextLength">): number =>
  Math.min(512, Math.floor(contextLength / 4));

export interface Call {
  readonly prompt: string;
  readonly spans: readonly Span[];
}

export class Calls {
  readonly answerTokens: number;
  /** All answers, in the order of levels and places. */
  readonly parts: Part[] = [];
  readonly #model: ReadingModel;
  readonly #request: ReadingRequest;
  readonly #concurrency: number;

  /** @throws ConfigError for counts out of range. */
  constructor(model: ReadingModel, request: ReadingRequest) {
    const { answerTokens = usualAnswerTokens(model), concurrency = 4 } = request;
    for (const [name, value] of Object.entries({ answerTokens, concurrency })) {
      if (!Number.isInteger(value) || value < 1)
        throw new ConfigError(`reading: ${name} must be a whole number from 1, got ${value}`);
    }
    this.answerTokens = answerTokens;
    this.#model = model;
    this.#request = request;
    this.#concurrency = concurrency;
  }

  /** Tokens by which prompt and answer are longer than the context; 0 or less where they fit. */
  async excess(prompt: string): Promise<number> {
    return (await this.#model.countPrompt(prompt)) + this.answerTokens - this.#model.contextLength;
  }

  /** What is thrown where a prompt fills the context by itself. */
  noRoom(): CapacityError {
    return new CapacityError(
      `reading: prompt and answer (${this.answerTokens} tokens) leave no room for text in a context of ${this.#model.contextLength}; shorten the task or the template, or take a smaller answerTokens`,
    );
  }

  /**
   * Answers in the order of the calls. Once one fails no other is begun, and those under way are given up.
   * @param series how many calls of this level there are in all, where these are not all, and the place of the first.
   * @throws ReadingError naming the stretch of the document.
   */
  async all(
    calls: readonly Call[],
    level: number,
    series: { readonly first: number; readonly count: number } = { first: 0, count: calls.length },
  ): Promise<Part[]> {
    const failed = new AbortController();
    const signals = [failed.signal, ...(this.#request.signal ? [this.#request.signal] : [])];
    const signal = AbortSignal.any(signals);
    const parts: Part[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < calls.length) {
        const index = next++;
        try {
          signal.throwIfAborted();
          parts[index] = await this.#one(calls[index]!, { level, index: series.first + index, signal });
        } catch (thrown) {
          failed.abort();
          throw failureOf(thrown, calls[index]!, { level, index: series.first + index, count: series.count });
        }
        this.#request.onPart?.(parts[index]);
      }
    };
    const workers = Array.from({ length: Math.min(this.#concurrency, calls.length) }, worker);
    const ends = await Promise.allSettled(workers);
    const failure = firstFailure(ends);
    if (failure !== undefined) throw failure;
    this.parts.push(...parts);
    return parts;
  }

  async #one({ prompt, spans }: Call, place: { level: number; index: number; signal: AbortSignal }): Promise<Part> {
    const { level, index, signal } = place;
    const { results } = this.#request;
    const key = await keyOf(JSON.stringify([this.#model.id, this.answerTokens, prompt]));
    const known = await results?.get(key);
    const text = known ?? (await this.#model.generate(prompt, { maxTokens: this.answerTokens, signal }));
    if (known === undefined) await results?.set(key, text);
    const numPromptTokens = await this.#model.countPrompt(prompt);
    return { level, index, text, spans, numPromptTokens, isKnown: known !== undefined };
  }
}

/** SHA-256 in hex. */
async function keyOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function failureOf(
  thrown: unknown,
  { spans }: Call,
  { index, count, level }: { index: number; count: number; level: number },
): ReadingError {
  const [first, last] = [spans[0], spans.at(-1)];
  const where = first && last ? ` (characters ${first.start} to ${last.end})` : "";
  const what = level === 0 ? `part ${index + 1} of ${count}` : `level ${level}, part ${index + 1} of ${count}`;
  return new ReadingError(`reading: ${what}${where}: ${messageOf(thrown)}`, spans, { cause: thrown });
}

/** The failure that ended the others, not one of those that it ended. */
function firstFailure(ends: readonly PromiseSettledResult<void>[]): unknown {
  const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  const isAbort = ({ cause }: ReadingError): boolean => cause instanceof Error && cause.name === "AbortError";
  return failures.find((failure) => !isAbort(failure)) ?? failures[0];
}
