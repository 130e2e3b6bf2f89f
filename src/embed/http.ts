/** @file Embedder behind OpenAI's HTTP interface: `POST <base>/embeddings`. */

import { z } from "zod";
import { CapacityError, ConfigError, messageOf, TesseraError } from "../base/errors.js";
import type { Prompts } from "../models/index.js";
import type { Embedder, EmbedderDef } from "./embedder.js";
import { toUnitLength } from "./static/static-model.js";

/** A server of embeddings that cannot be reached, refuses, or answers what is no embedding. */
export class EmbedderError extends TesseraError {}

export interface HttpOptions {
  /** The model's name there. */
  readonly model?: string;
  /** Length of its vectors. Default: found by embedding one word. */
  readonly dimension?: number;
  /** Name of the environment variable that holds the key. Default OPENAI_API_KEY where it is set, else no key is sent. */
  readonly apiKeyVariable?: string;
  /** Written before each text. Default nothing. */
  readonly prompts?: Partial<Prompts>;
  /** Most texts in one request. Default 64. */
  readonly batchTexts?: number;
  /** Most characters in one request; a longer text goes alone. Default 200,000. */
  readonly batchChars?: number;
  /** Milliseconds until a request is given up. Default 60,000. */
  readonly timeoutMs?: number;
  /** Times that a request is sent again after 408, 429, 5xx, a timeout or a broken connection. Default 4. */
  readonly retries?: number;
  /** Milliseconds before the second attempt; twice as many before each further one. `Retry-After` is followed where it says more. Default 500. */
  readonly retryMs?: number;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
}

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().nonnegative(), embedding: z.union([z.array(z.number()), z.string()]) })),
});
const LONGEST_WAIT_MS = 60_000;

/**
 * @param source where the interface begins, such as `http://localhost:8000/v1`.
 * @throws ConfigError when an option is missing or out of range; EmbedderError when the server cannot be used.
 */
export const http: EmbedderDef<HttpOptions> = {
  name: "http",
  async open(source, options = {}) {
    const { model } = options;
    if (!/^https?:\/\//.test(source) || !URL.canParse(source)) {
      throw new ConfigError(`http embedder: expected an address such as http://localhost:8000/v1, got "${source}"`);
    }
    if (!model) throw new ConfigError(`http embedder: which model of ${source}? Give its name as model`);
    const endpoint = new Endpoint(source, model, options);
    const dimension = options.dimension ?? (await endpoint.send(["dimension"]))[0]!.length;
    return new HttpEmbedder(source, model, dimension, endpoint, options);
  },
};

class HttpEmbedder implements Embedder {
  readonly model: string;

  constructor(
    source: string,
    model: string,
    readonly dimension: number,
    private readonly endpoint: Endpoint,
    private readonly options: HttpOptions,
  ) {
    const { query = "", passage = "" } = options.prompts ?? {};
    // weights behind an address cannot be hashed: whoever changes them there must change their name
    this.model = JSON.stringify([source, model, query, passage]);
  }

  async embed(texts: readonly string[], kind: "query" | "passage", signal?: AbortSignal): Promise<Float32Array[]> {
    const prompt = this.options.prompts?.[kind] ?? "";
    const vectors: Float32Array[] = [];
    for (const group of requestsOf(
      texts.map((text) => prompt + text),
      this.options,
    )) {
      for (const vector of await this.endpoint.send(group, signal)) {
        if (vector.length !== this.dimension) {
          throw new EmbedderError(
            `${this.endpoint.url}: a vector of ${vector.length} numbers came, expected ${this.dimension}; another model answers now`,
          );
        }
        vectors.push(toUnitLength(vector));
      }
    }
    return vectors;
  }
}

function* requestsOf(texts: readonly string[], options: HttpOptions): Generator<string[]> {
  const { batchTexts = 64, batchChars = 200_000 } = options;
  let [group, chars]: [string[], number] = [[], 0];
  for (const text of texts) {
    if (group.length > 0 && (group.length === batchTexts || chars + text.length > batchChars)) {
      yield group;
      [group, chars] = [[], 0];
    }
    group.push(text);
    chars += text.length;
  }
  if (group.length > 0) yield group;
}

/** What went wrong with one attempt, and whether another may go better. */
interface Failure {
  readonly error: TesseraError;
  readonly isTemporary: boolean;
  readonly waitMs?: number;
}

class Endpoint {
  readonly url: string;
  readonly #key: string | undefined;

  constructor(
    source: string,
    private readonly model: string,
    private readonly options: HttpOptions,
  ) {
    this.url = `${source.replace(/\/+$/, "")}/embeddings`;
    const { apiKeyVariable } = options;
    this.#key = process.env[apiKeyVariable ?? "OPENAI_API_KEY"];
    if (apiKeyVariable !== undefined && !this.#key) {
      throw new ConfigError(
        `http embedder: the environment variable ${apiKeyVariable} is not set; it is to hold the key`,
      );
    }
  }

  /** Vectors of one request's texts, in their order. */
  async send(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    const { retries = 4, retryMs = 500 } = this.options;
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      const result = await this.#attempt(texts, signal);
      if (Array.isArray(result)) return result;
      if (!result.isTemporary) throw result.error;
      if (attempt >= retries)
        throw new EmbedderError(`${result.error.message} (tried ${attempt + 1} times)`, { cause: result.error });
      await pause(Math.min(LONGEST_WAIT_MS, Math.max(retryMs * 2 ** attempt, result.waitMs ?? 0)), signal);
    }
  }

  async #attempt(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[] | Failure> {
    const { timeoutMs = 60_000, fetch: send = fetch } = this.options;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await send(this.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(this.#key && { authorization: `Bearer ${this.#key}` }),
        },
        body: JSON.stringify({ model: this.model, input: texts, encoding_format: "float" }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      const body = await response.text();
      if (!response.ok) return refusal(this.url, response, body);
      return vectorsOf(this.url, body, texts.length);
    } catch (thrown) {
      if (thrown instanceof EmbedderError) return { error: thrown, isTemporary: false };
      signal?.throwIfAborted();
      const what = timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(thrown);
      return { error: new EmbedderError(`${this.url}: ${what}`, { cause: thrown }), isTemporary: true };
    }
  }
}

/** fetch says "fetch failed", and its cause says why. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause ? messageOf(cause) || String((cause as { code?: unknown }).code) : messageOf(thrown);
}

function refusal(url: string, { status, headers }: Response, body: string): Failure {
  const seconds = Number(headers.get("retry-after"));
  const said = `${url} answered ${status}: ${body.slice(0, 300)}`;
  const hints: Readonly<Record<number, string>> = {
    401: "; is the key right?",
    403: "; is the key right?",
    404: "; does the address end where OpenAI's interface begins, as in /v1, and is the model there?",
  };
  const isTooLong = status === 413 || (status === 400 && /token|context|length/i.test(body));
  const error = isTooLong ? new CapacityError(said) : new EmbedderError(said + (hints[status] ?? ""));
  const isTemporary = status === 408 || status === 429 || status >= 500;
  return { error, isTemporary, ...(seconds > 0 && { waitMs: seconds * 1000 }) };
}

/** @throws EmbedderError when the body does not hold a vector for each text. */
function vectorsOf(url: string, body: string, count: number): Float32Array[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (thrown) {
    throw new EmbedderError(`${url} answered no JSON: ${body.slice(0, 200)}`, { cause: thrown });
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) throw new EmbedderError(`${url} answered no embeddings: ${z.prettifyError(parsed.error)}`);
  const vectors = new Array<Float32Array | undefined>(count).fill(undefined);
  for (const { index, embedding } of parsed.data.data) vectors[index] = floatsOf(embedding);
  const complete = vectors.filter((vector) => vector !== undefined);
  if (parsed.data.data.length !== count || vectors.length !== count || complete.length !== count) {
    throw new EmbedderError(`${url} answered ${parsed.data.data.length} vectors for ${count} texts`);
  }
  const broken = complete.findIndex((vector) => !vector.every(Number.isFinite) || vector.every((x) => x === 0));
  if (broken >= 0)
    throw new EmbedderError(`${url}: the vector of text ${broken} has no direction (zeros, or no numbers)`);
  return complete;
}

/** Numbers, or little-endian float32 in base64. */
function floatsOf(embedding: readonly number[] | string): Float32Array {
  if (typeof embedding !== "string") return Float32Array.from(embedding);
  const bytes = Uint8Array.from(atob(embedding), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getFloat32(4 * i, true));
}

async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
