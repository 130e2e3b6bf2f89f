/** @file The official OpenAI client, unchanged, against `tessera serve`'s app over HTTP: on its own model, and as a proxy of itself. */

import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type OpenTextService, openTextService } from "../../src/pipeline/text-service.js";
import { Runtime } from "../../src/runtime/index.js";
import { listen, type RunningServer } from "../../src/server/index.js";
import { type CallRecord, createOpenAiApp, createUpstream, parseApiKeys } from "../../src/server/openai/index.js";
import { randomModel, scriptedModel } from "../support/served-model.js";

const KEY = "sk-test-0123456789";
const answer = ["\n", "It is", " sunny", " in Paris", "."];
const call = [
  "\n",
  "<tool_call>",
  '\n{"name": "get_',
  'weather", "argu',
  'ments":',
  ' {"city": ',
  '"Paris"}}',
  "\n</tool_call>",
];
const messages = [{ role: "user" as const, content: "What is the weather in Paris?" }];
const tools = [
  {
    type: "function" as const,
    function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
  },
];

let runtime: Runtime;
const services: Record<string, OpenTextService> = {};
const servers: RunningServer[] = [];
const log: CallRecord[] = [];

async function start(app: Parameters<typeof listen>[0]): Promise<string> {
  const server = await listen(app, { port: 0 });
  servers.push(server);
  return server.url;
}

/** Clients of three models, directly and through a second server that only passes on. */
const clients = { own: {} as Record<string, OpenAI>, upstream: {} as Record<string, OpenAI> };

beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  const keys = await parseApiKeys(JSON.stringify([{ name: "test", key: KEY }]), "test");
  const models = { speaking: scriptedModel([answer]), calling: scriptedModel([call]), random: randomModel() };
  for (const [id, loaded] of Object.entries(models)) {
    const service = await openTextService(runtime, loaded, { id });
    services[id] = service;
    const own = createOpenAiApp(service, { keys, log: (record) => log.push(record) });
    const url = await start(own.app);
    const proxy = createOpenAiApp(createUpstream(url, KEY), {
      keys: await parseApiKeys(JSON.stringify([{ name: "proxied", key: `${KEY}-2` }]), "test"),
      log: (record) => log.push(record),
    });
    clients.own[id] = new OpenAI({ baseURL: `${url}v1`, apiKey: KEY, maxRetries: 0 });
    clients.upstream[id] = new OpenAI({ baseURL: `${await start(proxy.app)}v1`, apiKey: `${KEY}-2`, maxRetries: 0 });
  }
});
afterAll(async () => {
  for (const server of servers) await server.close();
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
  await runtime.close();
});

describe.each(["own", "upstream"] as const)("the official client, %s model", (kind) => {
  const client = (id: string): OpenAI => clients[kind][id]!;

  it("chats", async () => {
    const completion = await client("speaking").chat.completions.create({
      model: "speaking",
      messages,
      temperature: 0,
    });
    expect(completion.choices[0]!.message.content).toBe("It is sunny in Paris.");
    expect(completion.choices[0]!.finish_reason).toBe("stop");
    expect(completion.usage!.total_tokens).toBe(completion.usage!.prompt_tokens + 4);
    expect(completion._request_id).toMatch(/^[0-9a-f]{32}$/);
  });

  it("streams, with usage", async () => {
    const stream = await client("speaking").chat.completions.create({
      model: "speaking",
      messages,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let numChunks = 0;
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      numChunks++;
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe("It is sunny in Paris.");
    expect(numChunks).toBeGreaterThanOrEqual(6);
    expect(usage!.completion_tokens).toBe(4);
    const final = await client("speaking")
      .chat.completions.stream({ model: "speaking", messages, temperature: 0 })
      .finalContent();
    expect(final).toBe("It is sunny in Paris.");
  });

  it("calls tools, streamed and not, and gives results back", async () => {
    const body = { model: "calling", messages, tools, temperature: 0 };
    const { choices } = await client("calling").chat.completions.create(body);
    const message = choices[0]!.message;
    const [called] = message.tool_calls!;
    expect(choices[0]!.finish_reason).toBe("tool_calls");
    expect(called).toMatchObject({
      type: "function",
      function: { name: "get_weather", arguments: '{"city": "Paris"}' },
    });
    const streamed = await client("calling").chat.completions.stream(body).finalMessage();
    expect(streamed.tool_calls![0]).toMatchObject({
      function: { name: "get_weather", arguments: '{"city": "Paris"}' },
    });
    const result = { role: "tool" as const, tool_call_id: called!.id, content: "sunny" };
    const after = await client("calling").chat.completions.create({
      ...body,
      messages: [...messages, message, result],
    });
    expect(after.choices).toHaveLength(1);
  });

  it("runs the client's own loop over tools", async () => {
    const seen: unknown[] = [];
    const runner = client("calling").chat.completions.runTools(
      {
        model: "calling",
        messages,
        temperature: 0,
        tools: [
          {
            type: "function" as const,
            function: {
              name: "get_weather",
              description: "The weather of a city",
              parameters: tools[0]!.function.parameters,
              parse: JSON.parse,
              function: (given: unknown) => {
                seen.push(given);
                return "sunny";
              },
            },
          },
        ],
      },
      { maxChatCompletions: 2 },
    );
    await runner.done();
    expect(seen).toEqual([{ city: "Paris" }, { city: "Paris" }]);
  });

  it("parses objects and calls that its own helpers describe with zod", async () => {
    const City = z.object({ name: z.enum(["Paris", "Oslo"]), size: z.number().min(0).max(9).nullable() });
    for (let seed = 0; seed < 2; seed++) {
      const body = { model: "random", messages, seed, max_tokens: 90 };
      const response_format = zodResponseFormat(City, "city");
      const { choices } = await client("random").chat.completions.parse({ ...body, response_format });
      City.parse(choices[0]!.message.parsed);
      const forecast = zodFunction({ name: "forecast", parameters: City });
      expect(forecast.function.strict).toBe(true);
      const asked = { ...body, tools: [forecast], tool_choice: "required" as const, parallel_tool_calls: false };
      const called = await client("random").chat.completions.parse(asked);
      City.parse(called.choices[0]!.message.tool_calls![0]!.function.parsed_arguments);
      const streamed = await client("random").chat.completions.stream(asked).finalChatCompletion();
      expect(streamed.choices[0]!.message.tool_calls).toHaveLength(1);
      City.parse(JSON.parse(streamed.choices[0]!.message.tool_calls![0]!.function.arguments));
    }
  });

  it("completes, several at once, with log-probabilities and seeds", async () => {
    const body = { model: "random", prompt: "You are", max_tokens: 6, seed: 3, n: 2, logprobs: 1 };
    const [a, b] = [await client("random").completions.create(body), await client("random").completions.create(body)];
    expect(a.choices.map(({ text }) => text)).toEqual(b.choices.map(({ text }) => text));
    expect(a.choices[0]!.text).not.toBe(a.choices[1]!.text);
    expect(a.choices[0]!.logprobs!.token_logprobs).toHaveLength(6);
    const logprobs = await client("random").chat.completions.create({
      model: "random",
      messages,
      seed: 3,
      max_tokens: 2,
      logprobs: true,
      top_logprobs: 2,
    });
    expect(logprobs.choices[0]!.logprobs!.content).toHaveLength(2);
    let text = "";
    for await (const chunk of await client("speaking").completions.create({
      model: "speaking",
      prompt: "\n",
      temperature: 0,
      stream: true,
    }))
      text += chunk.choices[0]!.text;
    expect(text).toBe("It is sunny in Paris.");
  });

  it("lists models", async () => {
    const ids = [];
    for await (const { id } of client("speaking").models.list()) ids.push(id);
    expect(ids).toEqual(["speaking"]);
    expect((await client("speaking").models.retrieve("speaking")).object).toBe("model");
  });

  it("gets errors of its own classes", async () => {
    const ask = (more: object) => client("random").chat.completions.create({ model: "random", messages, ...more });
    const wrong = await ask({ temperature: -1 }).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(BadRequestError);
    expect(wrong).toMatchObject({
      status: 400,
      param: "temperature",
      code: "invalid_value",
      type: "invalid_request_error",
    });
    const unknown = client("random").chat.completions.create({ model: "gpt-9", messages });
    await expect(unknown).rejects.toBeInstanceOf(NotFoundError);
    await expect(ask({ max_tokens: 100_000 })).rejects.toThrow(/the context holds 512/);
    const stranger = client("random").withOptions({ apiKey: "sk-nobody" });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(AuthenticationError);
    const embedding = client("random").embeddings.create({ model: "random", input: "x" });
    await expect(embedding).rejects.toMatchObject({ status: 501, code: "no_embedding_model" });
    await expect(embedding).rejects.toBeInstanceOf(APIError);
  });

  it("leaves in the middle of a stream, and the model is free", async () => {
    const before = log.length;
    // of this seed the text ends with the context
    const body = { model: "random", messages, seed: 3, stream: true } as const;
    const stream = await client("random").chat.completions.create(body);
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    // a proxy's server hears of it too
    const numServers = kind === "own" ? 1 : 2;
    await expect.poll(() => log.slice(before).filter(({ cancelled }) => cancelled).length).toBe(numServers);
    for (const { completionTokens } of log.slice(before)) expect(completionTokens).toBeLessThan(450);
    await expect(
      client("random").chat.completions.create({ model: "random", messages, max_tokens: 1 }),
    ).resolves.toMatchObject({ object: "chat.completion" });
  });
});

describe("a server between", () => {
  it("counts tokens against its own keys, and refuses when they are used up", async () => {
    const keys = await parseApiKeys(JSON.stringify([{ name: "few", key: KEY, tokensPerMinute: 5 }]), "test");
    const seen: CallRecord[] = [];
    const upstream = createUpstream(String(clients.own.speaking!.baseURL), KEY);
    const { app } = createOpenAiApp(upstream, { keys, log: (record) => seen.push(record) });
    const client = new OpenAI({ baseURL: `${await start(app)}v1`, apiKey: KEY, maxRetries: 0 });
    const body = { model: "speaking", messages, temperature: 0 };
    let text = "";
    for await (const chunk of await client.chat.completions.create({ ...body, stream: true })) {
      text += chunk.choices[0]!.delta.content ?? "";
    }
    expect(text).toBe("It is sunny in Paris.");
    await expect.poll(() => seen).toMatchObject([{ key: "few", model: "speaking", completionTokens: 4 }]);
    const refused = await client.chat.completions.create(body).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RateLimitError);
    expect(Number((refused as RateLimitError).headers?.get("retry-after"))).toBeGreaterThan(100);
  });

  it("says when the other cannot be reached", async () => {
    const { app } = createOpenAiApp(createUpstream("http://127.0.0.1:1", undefined));
    const client = new OpenAI({ baseURL: `${await start(app)}v1`, apiKey: "none", maxRetries: 0 });
    await expect(client.models.list()).rejects.toMatchObject({ status: 502, code: "upstream_unreachable" });
    expect(() => createUpstream("ftp://x", undefined)).toThrow("expected an address");
    expect(() => createUpstream("http://x?key=1", undefined)).toThrow("no user, password or query");
  });
});
