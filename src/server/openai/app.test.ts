/** @file Who is let in, how long they wait, what they use and what is told of them: over a model that writes. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { randomModel } from "../../../test/support/served-model.js";
import { ConfigError } from "../../base/errors.js";
import { type OpenTextService, openTextService } from "../../pipeline/text-service.js";
import { Runtime } from "../../runtime/index.js";
import { type CallRecord, createOpenAiApp, type OpenAiApp, type OpenAiAppOptions, parseApiKeys } from "./index.js";
import type { TextService } from "./service.js";

const CONTEXT = 4096;
let runtime: Runtime;
let model: OpenTextService;
let service: TextService;
/** Texts that are being written. */
let numWriting = 0;
/** Tokens that the model has computed. */
let numTokens = 0;

beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  model = await openTextService(runtime, randomModel({ contextLength: CONTEXT }), { id: "m", maxSequences: 1 });
  service = {
    ...model,
    async generate(request) {
      const { numPromptTokens, pieces } = await model.generate(request);
      async function* counted() {
        numWriting++;
        try {
          for await (const piece of pieces) {
            numTokens += piece.ids.length;
            yield piece;
          }
        } finally {
          numWriting--;
        }
      }
      return { numPromptTokens, pieces: counted() };
    },
  };
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  await runtime.close();
});

let log: CallRecord[];
let bugs: unknown[];
beforeEach(() => {
  log = [];
  bugs = [];
});

function serve(options: OpenAiAppOptions = {}): OpenAiApp {
  return createOpenAiApp(service, {
    log: (record) => log.push(record),
    onError: (thrown) => bugs.push(thrown),
    ...options,
  });
}

/** The tokens that end a text are the first ones, and out of the question. */
const forever = {
  model: "m",
  prompt: "You",
  max_tokens: 4000,
  stream: true,
  temperature: 0,
  logit_bias: { 0: -100, 1: -100, 2: -100 },
};
const short = { model: "m", prompt: "You", max_tokens: 3, seed: 1 };

function complete(
  { app }: OpenAiApp,
  body: object = short,
  headers: Record<string, string> = {},
  { query = "", signal = null as AbortSignal | null } = {},
): Promise<Response> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
  return Promise.resolve(app.request(new Request(`http://localhost/v1/completions${query}`, { ...init, signal })));
}

async function codeOf(response: Response | Promise<Response>): Promise<[number, string]> {
  const settled = await response;
  const { error } = (await settled.json()) as { error: { code: string } };
  return [settled.status, error.code];
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("keys", () => {
  const keyFile = JSON.stringify([
    { name: "ann", key: "sk-ann-0123456789", requestsPerMinute: 2 },
    { name: "bob", key: "sk-bob-0123456789", tokensPerMinute: 10 },
    // of sk-eve-0123456789
    { name: "eve", sha256: "" },
  ]);

  async function keys() {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("sk-eve-0123456789")));
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return parseApiKeys(keyFile.replace('"sha256":""', `"sha256":"${hex}"`), "keys.json");
  }

  it("let in who has one, and name them in the log", async () => {
    const server = serve({ keys: await keys() });
    expect((await complete(server, short, bearer("sk-eve-0123456789"))).status).toBe(200);
    expect(log[0]!.key).toBe("eve");
    expect(JSON.stringify(log)).not.toContain("sk-");
    for (const headers of [{}, { authorization: "sk-eve-0123456789" }, bearer(""), { authorization: "Basic abc" }]) {
      expect(await codeOf(complete(server, short, headers))).toEqual([401, "missing_api_key"]);
    }
    for (const key of ["sk-eve-012345678", "sk-eve-0123456780", "x"]) {
      expect(await codeOf(complete(server, short, bearer(key)))).toEqual([401, "invalid_api_key"]);
    }
    expect((await server.app.request("/v1/models")).status).toBe(401);
    expect((await server.app.request("/metrics")).status).toBe(401);
    expect((await server.app.request("/health")).status).toBe(200);
    expect((await server.app.request("/openapi.json")).status).toBe(200);
  });

  it("are refused in query strings, with or without keys to check", async () => {
    for (const server of [serve(), serve({ keys: await keys() })]) {
      for (const query of ["?api_key=sk-eve-0123456789", "?key=x", "?access_token=x", "?q=sk-abc", "?API-KEY=1"]) {
        const response = await complete(server, short, bearer("sk-eve-0123456789"), { query });
        expect([query, ...(await codeOf(response))]).toEqual([query, 400, "key_in_query"]);
      }
    }
    expect(JSON.stringify(log)).not.toContain("sk-");
  });

  it("have quotas of requests that refill", async () => {
    let now = 0;
    const server = serve({ keys: await keys(), now: () => now });
    const ask = () => complete(server, short, bearer("sk-ann-0123456789"));
    const first = await ask();
    expect([first.status, first.headers.get("x-ratelimit-remaining-requests")]).toEqual([200, "1"]);
    expect((await ask()).status).toBe(200);
    const third = await ask();
    expect([third.status, third.headers.get("retry-after")]).toEqual([429, "30"]);
    expect(await codeOf(third)).toEqual([429, "rate_limit_exceeded"]);
    now += 30_000;
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
  });

  it("have quotas of tokens, of prompts and answers", async () => {
    let now = 0;
    const server = serve({ keys: await keys(), now: () => now });
    const ask = (max_tokens: number) => complete(server, { ...short, max_tokens }, bearer("sk-bob-0123456789"));
    // the quota may go below zero once, as an answer's length is not known before
    expect((await ask(20)).status).toBe(200);
    const refused = await ask(1);
    const { promptTokens } = log[0]!;
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, String((10 + 1 + promptTokens!) * 6)]);
    now += (10 + 1 + promptTokens!) * 6000;
    expect((await ask(1)).status).toBe(200);
  });

  it.each([
    ["{", "not JSON"],
    ["[]", "the list"],
    ['[{"name":"a"}]', "sha256"],
    ['[{"name":"a","key":"short"}]', "16 or more"],
    ['[{"name":"a","key":"0123456789abcdef","limit":1}]', "0"],
    ['[{"name":"a","key":"0123456789abcdef","tokensPerMinute":-1}]', "tokensPerMinute"],
    ['[{"name":"a","key":"0123456789abcdef"},{"name":"a","key":"0123456789abcdeX"}]', "twice"],
  ])("%s is no file of keys", async (text, message) => {
    const parsed = parseApiKeys(text, "keys.json");
    await expect(parsed).rejects.toThrow(ConfigError);
    await expect(parsed).rejects.toThrow(message);
    await expect(parsed).rejects.not.toThrow("0123456789abcdef");
  });
});

describe("the queue", () => {
  it("lets a few wait and sends the rest away, and forgets who has left", async () => {
    const server = serve({ maxWaiting: 1 });
    const running = (await complete(server, forever)).body!.getReader();
    await running.read();
    const leaving = new AbortController();
    const waiting = complete(server, forever, {}, { signal: leaving.signal });
    await expect.poll(async () => (await server.app.request("/metrics")).text()).toContain("tessera_queue_length 1");
    const third = await complete(server);
    expect([third.status, third.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await codeOf(third)).toEqual([429, "queue_full"]);
    // who waits and goes makes room at once
    leaving.abort();
    await waiting;
    await expect.poll(async () => (await server.app.request("/metrics")).text()).toContain("tessera_queue_length 0");
    const next = complete(server);
    await running.cancel();
    expect((await next).status).toBe(200);
    expect(numWriting).toBe(0);
    expect(log.filter(({ cancelled }) => cancelled)).toHaveLength(2);
    expect(bugs).toEqual([]);
  });

  it("does not count what is sent away against quotas", async () => {
    const keys = await parseApiKeys('[{"name":"a","key":"0123456789abcdef","tokensPerMinute":1000}]', "keys");
    const server = serve({ maxWaiting: 0, keys });
    const key = bearer("0123456789abcdef");
    const running = (await complete(server, forever, key)).body!.getReader();
    const refused = await complete(server, short, key);
    expect(refused.status).toBe(429);
    await running.cancel();
    await expect.poll(() => log.length).toBe(2);
    expect(log[0]!.promptTokens).toBeUndefined();
  });
});

describe("clients that vanish", () => {
  it("stop the model, streaming and not", async () => {
    const server = serve();
    const before = numTokens;
    const reader = (await complete(server, forever)).body!.getReader();
    await reader.read();
    await reader.cancel();
    await expect.poll(() => numWriting).toBe(0);
    const client = new AbortController();
    const whole = complete(server, { ...forever, stream: false }, {}, { signal: client.signal });
    await expect.poll(() => numWriting).toBe(1);
    client.abort();
    await whole;
    await expect.poll(() => numWriting).toBe(0);
    expect(numTokens - before).toBeLessThan(2000);
    await expect
      .poll(() => log.map(({ status, cancelled }) => [status, cancelled]))
      .toEqual([
        [499, true],
        [499, true],
      ]);
    expect(bugs).toEqual([]);
  });

  it("and slow readers do not hold the model", async () => {
    const server = serve();
    const response = await complete(server, { ...forever, max_tokens: 300 });
    await expect.poll(() => numWriting).toBe(0);
    const text = await response.text();
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(log[0]!.completionTokens).toBe(300);
  });
});

describe("time-outs and shutdown", () => {
  it("end requests with an error that says so", async () => {
    const server = serve({ timeoutSeconds: 0.1 });
    expect(await codeOf(complete(server, { ...forever, stream: false }))).toEqual([504, "timeout"]);
    const streamed = await (await complete(server, forever)).text();
    expect(streamed).toContain('"code":"timeout"');
    expect(streamed).not.toContain("[DONE]");
    await expect.poll(() => numWriting).toBe(0);
    expect(log.map(({ status, error }) => [status, error?.code])).toEqual([
      [504, "timeout"],
      [504, "timeout"],
    ]);
  });

  it("finish what is in flight, refuse what comes, cut what takes too long", async () => {
    const server = serve();
    const quick = await complete(server, { ...forever, max_tokens: 300 });
    const drained = server.drain(30);
    const late = await complete(server);
    expect([late.headers.get("connection"), late.headers.get("retry-after")]).toEqual(["close", "5"]);
    expect(await codeOf(late)).toEqual([503, "server_shutting_down"]);
    expect((await server.app.request("/health")).status).toBe(503);
    expect((await quick.text()).endsWith("data: [DONE]\n\n")).toBe(true);
    expect(await drained).toBe(0);

    const other = serve();
    const slow = await complete(other, forever);
    expect(await other.drain(0.05)).toBe(1);
    expect(await slow.text()).toContain("server_shutting_down");
    expect(numWriting).toBe(0);
  });
});

describe("other sites", () => {
  const origin = "https://app.example";
  it("are refused unless they are named", async () => {
    const headers = { origin, "sec-fetch-site": "cross-site" };
    const closed = await complete(serve(), short, headers);
    expect([closed.status, closed.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    const open = serve({ cors: [origin] });
    const allowed = await complete(open, short, headers);
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    expect((await complete(open, short, { ...headers, origin: "https://evil.example" })).status).toBe(403);
    const preflight = await open.app.request("/v1/chat/completions", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
    });
    expect([preflight.status, preflight.headers.get("access-control-allow-headers")]).toEqual([204, "authorization"]);
  });

  it("cannot take the server's name, unless keys are asked for", async () => {
    const named = { host: "evil.example" };
    expect((await complete(serve(), short, named)).status).toBe(403);
    const keys = await parseApiKeys('[{"name":"a","key":"0123456789abcdef"}]', "keys");
    expect((await complete(serve({ keys }), short, { ...named, ...bearer("0123456789abcdef") })).status).toBe(200);
  });
});

describe("what is told", () => {
  it("is one record per request, without texts unless asked", async () => {
    await complete(serve(), { ...short, user: "u" });
    expect(log).toHaveLength(1);
    expect(log[0]).toEqual({
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      id: expect.any(String),
      method: "POST",
      path: "/v1/completions",
      status: 200,
      model: "m",
      stream: false,
      seed: 1,
      ignored: ["user"],
      promptTokens: expect.any(Number),
      completionTokens: 3,
      finishReasons: ["length"],
      firstTokenMilliseconds: expect.any(Number),
      milliseconds: expect.any(Number),
    });
    await complete(serve({ logBodies: true }));
    expect(log[1]!.body).toEqual(short);
  });

  it("is counted for Prometheus", async () => {
    const server = serve({ eventLoopDelay: () => ({ "0.99": 0.002 }) });
    await complete(server);
    await (await complete(server, { ...short, stream: true })).text();
    await complete(server, { ...short, temperature: -1 });
    const response = await server.app.request("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const lines = (await response.text()).split("\n");
    for (const line of [
      'tessera_requests_total{route="/v1/completions",status="200"} 2',
      'tessera_requests_total{route="/v1/completions",status="400"} 1',
      'tessera_tokens_total{kind="completion"} 6',
      "tessera_time_to_first_token_seconds_count 2",
      'tessera_time_to_first_token_seconds_bucket{le="+Inf"} 2',
      "tessera_time_per_output_token_seconds_count 4",
      "tessera_queue_length 0",
      "tessera_requests_running 0",
      'tessera_event_loop_delay_seconds{quantile="0.99"} 0.002',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.every((line) => line === "" || /^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [\d.e+-]+)$/.test(line))).toBe(
      true,
    );
  });
});
