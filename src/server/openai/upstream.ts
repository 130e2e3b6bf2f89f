/** @file Another OpenAI-compatible server that answers in this one's place. */

import { ConfigError, messageOf } from "../../base/errors.js";
import { ApiError } from "./errors.js";

export interface Upstream {
  /** Requests that are forwarded at once; others wait. */
  readonly concurrency: number;
  /**
   * Sends a request on, with the upstream's key and none of the client's headers.
   * @param path such as `/v1/models`.
   * @throws ApiError 502 when the server cannot be reached; the signal's reason when that is aborted.
   */
  forward(method: "GET" | "POST", path: string, body: unknown, signal: AbortSignal): Promise<Response>;
}

export interface UpstreamOptions {
  /** Default 64. */
  readonly concurrency?: number;
}

/**
 * @param url address of the other server, with or without `/v1` at its end.
 * @param key its API key, if it wants one.
 * @throws ConfigError when `url` is no HTTP address or has a key in it.
 */
export function createUpstream(
  url: string,
  key: string | undefined,
  { concurrency = 64 }: UpstreamOptions = {},
): Upstream {
  const base = baseOf(url);
  return {
    concurrency,
    async forward(method, path, body, signal) {
      try {
        return await fetch(base + path, {
          method,
          headers: {
            Accept: "application/json, text/event-stream",
            ...(body !== undefined && { "Content-Type": "application/json" }),
            ...(key !== undefined && { Authorization: `Bearer ${key}` }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          // a redirect would take the key to another server
          redirect: "error",
          signal,
        });
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
        throw new ApiError(502, `the upstream server cannot be reached: ${messageOf(cause)}`, {
          code: "upstream_unreachable",
        });
      }
    },
  };
}

function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new ConfigError(`upstream: expected an address such as https://host/v1, got ${JSON.stringify(url)}`);
  }
  if (parsed.username !== "" || parsed.password !== "" || parsed.search !== "") {
    throw new ConfigError("upstream: the address must hold no user, password or query; give the key apart");
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "").replace(/\/v1$/, "")}`;
}
