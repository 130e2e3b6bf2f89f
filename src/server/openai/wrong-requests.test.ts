/** @file Requests that are wrong get an error that names what is. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  chat,
  errorOf,
  type Json,
  post,
  user,
  watchedApps,
  weatherTool,
} from "../../../test/support/openai-requests.js";
import { chatTemplate, randomModel } from "../../../test/support/served-model.js";
import { type OpenTextService, openTextService } from "../../pipeline/text-service.js";
import { Runtime } from "../../runtime/index.js";

let runtime: Runtime;
let random: OpenTextService;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  random = await openTextService(runtime, randomModel(), { id: "random" });
});
afterAll(async () => {
  await random[Symbol.asyncDispose]();
  await runtime.close();
});

const { serve, bugs, log } = watchedApps();

describe("requests that are wrong", () => {
  const messages = [user];
  it.each<readonly [string, unknown, unknown, unknown, string]>([
    ["chat/completions", "{", null, null, "not JSON"],
    ["chat/completions", "[]", null, null, "JSON object"],
    ["chat/completions", { messages }, "model", "invalid_type", "expected string"],
    ["chat/completions", { model: "random" }, "messages", "invalid_type", "expected array"],
    ["chat/completions", { model: "random", messages: [] }, "messages", "invalid_value", "at least one message"],
    [
      "chat/completions",
      { model: "random", messages: [{ role: "cat", content: "x" }] },
      "messages.0.role",
      "invalid_type",
      "role system",
    ],
    [
      "chat/completions",
      { model: "random", messages: [{ role: "user", content: 5 }] },
      "messages.0.content",
      "invalid_type",
      "a string",
    ],
    [
      "chat/completions",
      { model: "random", messages: [{ role: "user", content: [{ type: "image_url", image_url: {} }] }] },
      "messages.0.content",
      "invalid_type",
      "images",
    ],
    ["chat/completions", { model: "random", messages, temperature: -1 }, "temperature", "invalid_value", ">=0"],
    ["chat/completions", { model: "random", messages, temperature: "hot" }, "temperature", "invalid_type", "number"],
    ["chat/completions", { model: "random", messages, max_tokens: -5 }, "max_tokens", "invalid_value", ">=1"],
    ["chat/completions", { model: "random", messages, max_tokens: 1e300 }, "max_tokens", "invalid_value", "<="],
    ["chat/completions", { model: "random", messages, n: 0 }, "n", "invalid_value", ">=1"],
    ["chat/completions", { model: "random", messages, top_p: 1.5 }, "top_p", "invalid_value", "<=1"],
    [
      "chat/completions",
      { model: "random", messages, stop: [""] },
      "stop.0",
      "invalid_value",
      "at least one character",
    ],
    ["chat/completions", { model: "random", messages, max_token: 5 }, "max_token", "unsupported_parameter", "misspelt"],
    [
      "chat/completions",
      { model: "random", messages, reasoning_effort: "low" },
      "reasoning_effort",
      "unsupported_parameter",
      "not supported",
    ],
    ["chat/completions", { model: "random", messages, logit_bias: { x: 1 } }, "logit_bias.x", "invalid_value", ""],
    [
      "chat/completions",
      { model: "random", messages, logit_bias: { 99999: 1 } },
      "logit_bias",
      "invalid_value",
      "99999",
    ],
    [
      "chat/completions",
      { model: "random", messages, top_logprobs: 2 },
      "top_logprobs",
      "invalid_value",
      "logprobs: true",
    ],
    [
      "chat/completions",
      { model: "random", messages, stream_options: {} },
      "stream_options",
      "invalid_value",
      "stream: true",
    ],
    [
      "chat/completions",
      { model: "random", messages, max_tokens: 1, max_completion_tokens: 2 },
      "max_tokens",
      "invalid_value",
      "differ",
    ],
    [
      "chat/completions",
      { model: "random", messages, response_format: { type: "xml" } },
      "response_format.type",
      "invalid_type",
      "json_object",
    ],
    [
      "chat/completions",
      { model: "random", messages, tools: [{ type: "web" }] },
      "tools.0.type",
      "invalid_value",
      "only tools",
    ],
    [
      "chat/completions",
      { model: "random", messages, tools: [{ type: "function", function: { name: "a b" } }] },
      "tools.0.function.name",
      "invalid_value",
      "letters",
    ],
    [
      "chat/completions",
      { model: "random", messages, tools: [{ type: "function", function: { name: "f", parameters: 5 } }] },
      "tools.0.function.parameters",
      "invalid_type",
      "JSON schema",
    ],
    [
      "chat/completions",
      {
        model: "random",
        messages,
        tools: [{ type: "function", function: { name: "f", parameters: { type: "array" } } }],
      },
      "tools.0.function.parameters",
      "invalid_value",
      "of type object",
    ],
    [
      "chat/completions",
      {
        model: "random",
        messages,
        tools: [
          {
            type: "function",
            function: { name: "f", parameters: { type: "object", properties: { x: { type: "strin" } } } },
          },
        ],
      },
      "tools.0.function.parameters.properties.x",
      "invalid_type",
      "JSON schema",
    ],
    [
      "chat/completions",
      { model: "random", messages, tools: [weatherTool, weatherTool] },
      "tools.1.function.name",
      "invalid_value",
      "two tools",
    ],
    [
      "chat/completions",
      { model: "random", messages, tool_choice: "required" },
      "tool_choice",
      "invalid_value",
      "no tools",
    ],
    [
      "chat/completions",
      { model: "random", messages, tools: [weatherTool], tool_choice: { type: "function", function: { name: "g" } } },
      "tool_choice",
      "invalid_value",
      "none of the tools",
    ],
    ["completions", { model: "random", prompt: [] }, "prompt", "invalid_type", "no empty list"],
    ["completions", { model: "random", prompt: [-1] }, "prompt.0", "invalid_value", ">=0"],
    ["completions", { model: "random", prompt: [5_000] }, "prompt", "invalid_value", "outside the vocabulary"],
    ["completions", { model: "random", prompt: "x", best_of: 3 }, "best_of", "invalid_value", "only 1"],
    ["completions", { model: "random", prompt: "x", suffix: "y" }, "suffix", "unsupported_parameter", "suffix"],
  ])("%s %j", async (path, body, param, code, message) => {
    const found = await errorOf(post(serve(random), `/v1/${path}`, body));
    expect(found).toEqual([400, param, code, expect.stringContaining(message)]);
    expect(bugs).toEqual([]);
  });

  it("too long, with limit and length, before anything is streamed", async () => {
    const server = serve(random);
    const long = { model: "random", prompt: "zq".repeat(600), stream: true };
    const [status, param, code, message] = await errorOf(post(server, "/v1/completions", long));
    expect([status, param, code]).toEqual([400, "prompt", "context_length_exceeded"]);
    expect(message).toMatch(/the prompt has \d{3,} tokens and 16 are asked for, but the context holds 512/);
    const many = { model: "random", messages: [user], max_tokens: 5000 };
    expect((await errorOf(chat(server, many)))[2]).toBe("context_length_exceeded");
    const huge = post(serve(random, { maxBodyBytes: 1000 }), "/v1/completions", { prompt: "x".repeat(2000) });
    expect(await errorOf(huge)).toEqual([413, null, null, expect.stringContaining("1000 bytes")]);
  });

  it("of unknown models, paths, methods, types", async () => {
    const server = serve(random);
    expect(await errorOf(chat(server, { model: "gpt-9", messages: [user] }))).toEqual([
      404,
      "model",
      "model_not_found",
      expect.stringContaining("there is random"),
    ]);
    expect(await errorOf(server.app.request("/v1/models/none"))).toEqual([
      404,
      "model",
      "model_not_found",
      expect.any(String),
    ]);
    expect(await errorOf(server.app.request("/v1/nothing"))).toEqual([
      404,
      null,
      "unknown_url",
      expect.stringContaining("/v1/nothing"),
    ]);
    expect(await errorOf(server.app.request("/v1/chat/completions"))).toEqual([
      405,
      null,
      null,
      expect.stringContaining("takes POST"),
    ]);
    const text = server.app.request("/v1/completions", { method: "POST", body: "{}" });
    expect(await errorOf(text)).toEqual([415, null, null, expect.stringContaining("application/json")]);
    expect(await errorOf(post(server, "/v1/embeddings", { model: "random", input: "x" }))).toEqual([
      501,
      null,
      "no_embedding_model",
      expect.stringContaining("--embeddings"),
    ]);
  });

  it("chats with a model that has no template, tools with one that has none for them", async () => {
    const plain = randomModel();
    const files = (chat_template: string | undefined) =>
      new Map([["tokenizer_config.json", new TextEncoder().encode(JSON.stringify({ chat_template }))]]);
    await using bare = await openTextService(runtime, { ...plain, tokenizerFiles: files(undefined) }, { id: "m" });
    expect((await errorOf(chat(serve(bare), { model: "m", messages: [user] })))[3]).toContain("no chat template");
    const simple = chatTemplate.replace(/<\/?tool_call>/g, "");
    await using toolless = await openTextService(runtime, { ...plain, tokenizerFiles: files(simple) }, { id: "m" });
    const [status, param] = await errorOf(
      chat(serve(toolless), { model: "m", messages: [user], tools: [weatherTool] }),
    );
    expect([status, param]).toEqual([400, "tools"]);
  });

  it("take parameters that change nothing, and say which", async () => {
    const body = { model: "random", messages: [user], max_tokens: 1, user: "me", store: true, seed: null };
    const response = await chat(serve(random), body);
    expect([response.status, response.headers.get("x-ignored-parameters")]).toEqual([200, "user, store"]);
    expect(log[0]!.ignored).toEqual(["user", "store"]);
  });
});

describe("constraints that nothing can follow", () => {
  const ask = (schema: unknown, more: Json = {}) => {
    const response_format = { type: "json_schema", json_schema: { name: "a", schema } };
    return chat(serve(random), {
      model: "random",
      messages: [user],
      max_tokens: 20,
      seed: 1,
      response_format,
      ...more,
    });
  };
  const object = (a: unknown) => ({ type: "object", properties: { a }, required: ["a"] });
  const numbered = (count: number) => Array.from({ length: count }, (_, i) => i);

  it.each<readonly [string, unknown, string, string]>([
    ["no value at all", object(false), "invalid_schema", "no text of finite length"],
    ["itself without end", object({ $ref: "#" }), "invalid_schema", "no text of finite length"],
    ["bounds that cross", object({ type: "integer", minimum: 3, maximum: 2 }), "invalid_schema", "#/properties/a"],
    ["lengths that cross", object({ type: "string", minLength: 3, maxLength: 2 }), "invalid_schema", "minLength 3"],
    ["a reference to nothing", object({ $ref: "#/$defs/b" }), "invalid_schema", "names nothing"],
    ["a keyword unknown here", object({ type: "string", not: {} }), "invalid_schema", "cannot follow not"],
    ["what no pattern is", object({ type: "string", pattern: "(a" }), "invalid_schema", "unmatched ("],
    [
      "a pattern that is not regular",
      object({ type: "string", pattern: "(a)\\1" }),
      "invalid_schema",
      "back reference",
    ],
    ["a huge length", object({ type: "string", minLength: 1e9 }), "too_large", "200000 states"],
    ["a huge list", { type: "array", items: {}, minItems: 1e9 }, "too_large", "200000 states"],
    ["a huge enum", { enum: numbered(100_000).map((i) => `v${i}`) }, "too_large", "200000 states"],
    ["many branches", { oneOf: numbered(400).map((i) => ({ const: i })) }, "invalid_schema", "at most 64"],
  ])("%s", async (_, schema, code, message) => {
    expect(await errorOf(ask(schema))).toEqual([400, "response_format", code, expect.stringContaining(message)]);
    expect(bugs).toEqual([]);
  });

  it("bodies that nest without end", async () => {
    let schema: unknown = {};
    for (let i = 0; i < 2000; i++) schema = object(schema);
    expect((await errorOf(ask(schema)))[3]).toContain("deeper than 256 levels");
    const open = `{"model":"random","messages":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect((await errorOf(post(serve(random), "/v1/chat/completions", open)))[3]).toContain("deeper than 256 levels");
    expect(bugs).toEqual([]);
  });

  // a backtracking reader would need longer than the world has
  it.each(
    [
      "^(a+)+$",
      "^(a|a)*b$",
      "(.*a){25}",
      "(x+x+)+y",
      "^(a?){50}a{50}$",
      "^(?:(?:a*)*)*$",
      "[ab]*a[ab]{200}",
      "^((a{0,100}){0,100}){0,100}$",
      "a{1000000000}",
      `${"(".repeat(150)}a*${")*".repeat(150)}`,
      "(".repeat(10_000),
      numbered(2000)
        .map((i) => `a{${i}}`)
        .join("|"),
    ].map((pattern) => [pattern.slice(0, 40), pattern] as const),
  )("a catastrophic pattern is followed or refused, in bounded room: %s", async (_, pattern) => {
    const before = process.memoryUsage().heapUsed;
    const response = await ask(object({ type: "string", pattern }));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(300e6);
    if (response.status === 400) {
      const { error } = (await response.json()) as { error: Json };
      expect(error.message).toMatch(/make|more than|unmatched/);
      return;
    }
    expect(response.status).toBe(200);
    const { choices } = (await response.json()) as { choices: { message: Json; finish_reason: string }[] };
    const [{ message, finish_reason }] = choices as [(typeof choices)[0]];
    if (finish_reason === "stop") expect(JSON.parse(String(message.content)).a).toMatch(/a/);
    else expect(String(message.content)).toMatch(/^\{"a":? ?"?/);
  });

  it.each<readonly [Json, string]>([
    [{ temperature: 1e308 }, "temperature"],
    [{ seed: 1e300 }, "seed"],
    [{ seed: 1.5 }, "seed"],
    [{ n: 1e9 }, "n"],
    [{ logit_bias: { 5: 1e9 } }, "logit_bias.5"],
    [{ logit_bias: { [`9${"0".repeat(20)}`]: 1 } }, "logit_bias"],
    [{ logprobs: true, top_logprobs: 99 }, "top_logprobs"],
    [{ top_k: -1 }, "top_k"],
    [{ repetition_penalty: 0 }, "repetition_penalty"],
    [{ presence_penalty: -1e9 }, "presence_penalty"],
    [{ max_tokens: 1e15 }, "messages"],
  ])("numbers without measure: %j", async (more, param) => {
    const found = await errorOf(chat(serve(random), { model: "random", messages: [user], ...more }));
    expect(found.slice(0, 2)).toEqual([400, param]);
    const infinite = `{"model":"random","messages":[{"role":"user","content":"x"}],"max_tokens":1e400}`;
    expect((await errorOf(post(serve(random), "/v1/chat/completions", infinite)))[1]).toBe("max_tokens");
    expect(bugs).toEqual([]);
  });
});
