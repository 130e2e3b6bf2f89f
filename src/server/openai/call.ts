/** @file One request from its arrival to its end: who sent it, what it used, what is logged of it. */

import type { ApiError } from "./errors.js";
import type { ApiClient } from "./keys.js";

/** What is logged of a request: one line of JSON. No text of prompts or answers unless asked for. */
export interface CallRecord {
  /** ISO 8601. */
  readonly time: string;
  readonly id: string;
  readonly method: string;
  readonly path: string;
  status: number;
  /** Name of the key. */
  key?: string;
  model?: string;
  stream?: boolean;
  /** Seed that was drawn or given: replays the text. */
  seed?: number;
  /** Parameters that were ignored, as they change nothing here. */
  ignored?: readonly string[];
  promptTokens?: number;
  completionTokens?: number;
  finishReasons?: string[];
  milliseconds?: number;
  firstTokenMilliseconds?: number;
  error?: { readonly code: string | null; readonly message: string };
  /** The client went before the end. */
  cancelled?: boolean;
  /** The request's body, where that was asked for. */
  body?: unknown;
}

export class Call {
  readonly record: CallRecord;
  client: ApiClient | undefined;
  /** The answer goes on after its headers; whoever sends it ends the call. */
  isStream = false;
  /** Path of the route that answers, as it is registered. */
  route = "other";
  /** Resolves when the call has ended. */
  readonly ended: Promise<void>;
  readonly #arrived = performance.now();
  readonly #abort = new AbortController();
  #resolveEnded = (): void => {};
  #lastToken: number | undefined;

  constructor(id: string, method: string, path: string) {
    this.record = { time: new Date().toISOString(), id, method, path, status: 0 };
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** Aborted when the client goes, the time is up or the server ends; the reason is an `ApiError`. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get id(): string {
    return this.record.id;
  }

  get hasFirstToken(): boolean {
    return this.#lastToken !== undefined;
  }

  abort(reason: ApiError): void {
    this.#abort.abort(reason);
  }

  /** Seconds since the arrival. */
  get seconds(): number {
    return (performance.now() - this.#arrived) / 1000;
  }

  /** Counts the prompt, against the client's quota too. */
  countPrompt(numTokens: number): void {
    this.record.promptTokens = (this.record.promptTokens ?? 0) + numTokens;
    this.client?.tokens?.take(numTokens);
  }

  /** Counts tokens of the answer; gives the seconds since the last ones or, for the first, since the arrival. */
  countTokens(numTokens: number): number {
    const now = performance.now();
    const since = (now - (this.#lastToken ?? this.#arrived)) / 1000;
    if (this.#lastToken === undefined) this.record.firstTokenMilliseconds = Math.round(since * 1000);
    this.#lastToken = now;
    this.record.completionTokens = (this.record.completionTokens ?? 0) + numTokens;
    this.client?.tokens?.take(numTokens);
    return since;
  }

  /** Notes why there was no answer; that the client went says more than what came of it. */
  fail({ status, code = null, message }: { status: number; code?: string | null | undefined; message: string }): void {
    if (this.record.cancelled) return;
    this.record.status = status;
    this.record.error = { code, message };
  }

  /** Ends the call; only the first time counts. */
  end(): void {
    this.record.milliseconds ??= Math.round(this.seconds * 1000);
    this.#resolveEnded();
  }
}
