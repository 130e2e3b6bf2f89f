/** @file API keys: from a file or a list, compared in constant time, with quotas per key. */

import { z } from "zod";
import { ConfigError } from "../../base/errors.js";
import { areEqual, digestOf } from "../secrets.js";
import { ApiError } from "./errors.js";
import { TokenBucket } from "./token-bucket.js";

const keyForm = "key (16 or more printable characters without spaces) or sha256 (64 hex digits)";
const quota = z.int().min(1).optional();
const shared = { name: z.string().min(1), requestsPerMinute: quota, tokensPerMinute: quota };
const keySchema = z.union(
  [
    z.strictObject({ ...shared, key: z.string().regex(/^[\x21-\x7e]{16,}$/, keyForm) }),
    z.strictObject({ ...shared, sha256: z.string().regex(/^[0-9a-f]{64}$/i, keyForm) }),
  ],
  { error: `expected name, ${keyForm}, and at most requestsPerMinute and tokensPerMinute (whole numbers from 1)` },
);

/** A key by its SHA-256, so that the server need not hold it. */
export interface ApiKey {
  /** Stands in logs in the key's place. */
  readonly name: string;
  readonly digest: Uint8Array;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

/**
 * Keys of a JSON file: a list of `{ name, key | sha256, requestsPerMinute?, tokensPerMinute? }`.
 * @param source what errors call the file.
 * @throws ConfigError naming what is wrong; it never quotes a key.
 */
export async function parseApiKeys(text: string, source: string): Promise<ApiKey[]> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ConfigError(`API keys: ${source} is not JSON; expected a list of { "name", "key" or "sha256" }`);
  }
  const parsed = z.array(keySchema).min(1).safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new ConfigError(`API keys: ${source}: ${path.join(".") || "the list"}: ${message}`);
  }
  const names = parsed.data.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ConfigError(`API keys: ${source}: the name ${JSON.stringify(twice)} stands twice`);
  return Promise.all(
    parsed.data.map(async (entry) => {
      const { name, requestsPerMinute, tokensPerMinute } = entry;
      const digest = "key" in entry ? await digestOf(entry.key) : hexBytes(entry.sha256);
      return { name, digest, requestsPerMinute, tokensPerMinute };
    }),
  );
}

/** Someone who may send requests. */
export interface ApiClient {
  readonly name: string;
  readonly requests?: TokenBucket;
  readonly tokens?: TokenBucket;
}

/** Finds the client of a request. */
export class Keyring {
  readonly #entries: readonly { readonly digest: Uint8Array; readonly client: ApiClient }[];

  /** @param now clock of the quotas in milliseconds. */
  constructor(keys: readonly ApiKey[], now?: () => number) {
    this.#entries = keys.map(({ name, digest, requestsPerMinute, tokensPerMinute }) => ({
      digest,
      client: {
        name,
        ...(requestsPerMinute !== undefined && { requests: new TokenBucket(requestsPerMinute, now) }),
        ...(tokensPerMinute !== undefined && { tokens: new TokenBucket(tokensPerMinute, now) }),
      },
    }));
  }

  /**
   * The client whose key an `Authorization: Bearer` header holds.
   * @throws ApiError 401 when there is none.
   */
  async clientOf(authorization: string | undefined): Promise<ApiClient> {
    const key = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? "")?.[1];
    if (key === undefined) {
      throw new ApiError(401, "this server asks for an API key; send it as Authorization: Bearer <key>", {
        code: "missing_api_key",
      });
    }
    const digest = await digestOf(key);
    // every key is compared, so that the time says nothing
    let found: ApiClient | undefined;
    for (const entry of this.#entries) if (areEqual(entry.digest, digest)) found = entry.client;
    if (!found) throw new ApiError(401, "the API key is not known to this server", { code: "invalid_api_key" });
    return found;
  }
}

/** Names under which keys are put into URLs. */
const keyParameters = /^(x[-_])?(api[-_]?key|key|token|access[-_]?token|auth(orization)?|bearer|secret)$/i;

/**
 * Refuses keys in URLs, which end up in logs and histories.
 * @throws ApiError 400
 */
export function refuseKeyInQuery(url: string): void {
  for (const [name, value] of new URL(url).searchParams) {
    if (keyParameters.test(name) || /^(Bearer |sk-)/i.test(value)) {
      throw new ApiError(
        400,
        `the query string has ${JSON.stringify(name)}: keys in URLs end up in logs; replace this key and send the new one as Authorization: Bearer <key>`,
        { code: "key_in_query", param: name },
      );
    }
  }
}

/** Lets a request in or says when to come again. @throws ApiError 429 */
export function takeRequest({ name, requests, tokens }: ApiClient): void {
  if (requests && requests.secondsUntil(1) > 0)
    throw overQuota(name, "requests", requests.perMinute, requests.secondsUntil(1));
  if (tokens && tokens.secondsUntil(1) > 0) throw overQuota(name, "tokens", tokens.perMinute, tokens.secondsUntil(1));
  requests?.take(1);
}

/** Headers that tell a client what is left, named as OpenAI's. */
export function quotaHeaders({ requests, tokens }: ApiClient): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [kind, bucket] of Object.entries({ requests, tokens })) {
    if (!bucket) continue;
    headers[`X-RateLimit-Limit-${kind}`] = String(bucket.perMinute);
    headers[`X-RateLimit-Remaining-${kind}`] = String(bucket.remaining);
  }
  return headers;
}

function overQuota(name: string, kind: string, perMinute: number, seconds: number): ApiError {
  return new ApiError(
    429,
    `the key ${JSON.stringify(name)} has used its ${perMinute} ${kind} per minute; try again in ${Math.ceil(seconds)} s`,
    { code: "rate_limit_exceeded", param: kind, retryAfterSeconds: seconds },
  );
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (byte) => Number.parseInt(byte, 16));
}
