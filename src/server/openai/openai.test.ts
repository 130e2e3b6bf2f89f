/** @file The routes over real models: random weights, and weights that write a given text. */

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  chat,
  errorOf,
  framesOf,
  type Json,
  json,
  post,
  user,
  watchedApps,
  weatherTool,
} from "../../../test/support/openai-requests.js";
import { randomModel, scriptedModel } from "../../../test/support/served-model.js";
import { type OpenTextService, openTextService } from "../../pipeline/text-service.js";
import { embedTexts, loadEncoder } from "../../presets/index.js";
import { Runtime } from "../../runtime/index.js";

const CONTEXT = 512;
const call = [
  "<tool_call>",
  '\n{"name": "get_',
  'weather", "argu',
  'ments":',
  ' {"city": ',
  '"Paris"}}',
  "\n</tool_call>",
];
const answer = ["\n", "It is", " sunny", " in Paris", "."];

let runtime: Runtime;
let random: OpenTextService;
let speaking: OpenTextService;
let calling: OpenTextService;

beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  random = await openTextService(runtime, randomModel({ contextLength: CONTEXT }), { id: "random", maxSequences: 2 });
  speaking = await openTextService(runtime, scriptedModel([answer]), { id: "org/speaking" });
  calling = await openTextService(runtime, scriptedModel([["\n", ...call]]), { id: "calling" });
});
afterAll(async () => {
  for (const service of [random, speaking, calling]) await service[Symbol.asyncDispose]();
  await runtime.close();
});

const { serve, log } = watchedApps();

interface Chunk {
  readonly choices: readonly { readonly index: number; readonly delta: Json; readonly finish_reason: string | null }[];
  readonly usage?: Json | null;
}

describe("chat completions", () => {
  it("answer at once", async () => {
    const server = serve(speaking);
    const response = await chat(server, { model: "org/speaking", messages: [user], temperature: 0 });
    expect(response.status).toBe(200);
    const body = await json(response);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
      object: "chat.completion",
      model: "org/speaking",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "It is sunny in Paris.", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: { completion_tokens: 4 },
    });
    const { prompt_tokens, completion_tokens, total_tokens } = body.usage as Record<string, number>;
    expect(prompt_tokens).toBeGreaterThan(10);
    expect(total_tokens).toBe(prompt_tokens! + completion_tokens!);
    expect(response.headers.get("x-request-id")).toBe(String(body.id).slice("chatcmpl-".length));
  });

  it("stream what they answer at once, with usage where it is asked for", async () => {
    const server = serve(speaking);
    const body = { model: "org/speaking", messages: [user], temperature: 0, stream: true };
    const frames = await framesOf(await chat(server, body));
    expect(frames.at(-1)).toBe("[DONE]");
    const chunks = frames.slice(0, -1) as Chunk[];
    expect(chunks[0]!.choices[0]!.delta).toEqual({ role: "assistant", content: "", refusal: null });
    expect(chunks.map(({ choices }) => choices[0]!.delta.content ?? "").join("")).toBe("It is sunny in Paris.");
    expect(chunks.length).toBeGreaterThanOrEqual(6);
    expect(chunks.map(({ choices }) => choices[0]!.finish_reason).filter(Boolean)).toEqual(["stop"]);
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);

    const counted = await framesOf(await chat(server, { ...body, stream_options: { include_usage: true } }));
    const usages = (counted.slice(0, -1) as Chunk[]).map(({ usage }) => usage);
    expect(usages.slice(0, -1).every((usage) => usage === null)).toBe(true);
    expect(usages.at(-1)).toMatchObject({ completion_tokens: 4 });
    expect((counted.at(-2) as Chunk).choices).toEqual([]);
  });

  it("end before stop strings that span tokens, and at the limit", async () => {
    const server = serve(speaking);
    const body = { model: "org/speaking", messages: [user], temperature: 0 };
    const ended = async (more: Json) => {
      const { choices } = (await json(chat(server, { ...body, ...more }))) as { choices: Json[] };
      return [(choices[0]!.message as Json).content, choices[0]!.finish_reason];
    };
    expect(await ended({ stop: "sunny in" })).toEqual(["It is ", "stop"]);
    expect(await ended({ stop: ["nowhere", "Paris!"] })).toEqual(["It is sunny in Paris.", "stop"]);
    expect(await ended({ max_tokens: 2 })).toEqual(["It is sunny", "length"]);
    expect(await ended({ max_completion_tokens: 1 })).toEqual(["It is", "length"]);
  });

  it("replay by seed, differ between choices, and count the prompt once", async () => {
    const server = serve(random);
    const ask = async (seed: number, n: number) => {
      const body = { model: "random", messages: [user], max_tokens: 12, seed, n };
      const { choices, usage } = (await json(chat(server, body))) as { choices: { message: Json }[]; usage: Json };
      return { texts: choices.map(({ message }) => message.content), usage };
    };
    const [one, three] = [await ask(7, 1), await ask(7, 3)];
    expect(three.texts).toHaveLength(3);
    expect(three.texts[0]).toBe(one.texts[0]);
    expect(new Set(three.texts).size).toBe(3);
    expect(three.usage).toMatchObject({ prompt_tokens: one.usage.prompt_tokens, completion_tokens: 36 });
    expect(log.map(({ seed }) => seed)).toEqual([7, 7]);
    // without a seed one is drawn and logged, and replays
    await chat(server, { model: "random", messages: [user], max_tokens: 12 });
    expect(Number.isInteger(log[2]!.seed)).toBe(true);
  });

  it("are JSON where that is asked for, and of a schema", async () => {
    const server = serve(random);
    const schema = {
      type: "object",
      properties: { kind: { enum: ["a", "b"] }, count: { type: "integer", minimum: 0, maximum: 99 } },
      required: ["kind", "count"],
      additionalProperties: false,
    };
    const response_format = { type: "json_schema", json_schema: { name: "thing", schema, strict: true } };
    for (let seed = 0; seed < 5; seed++) {
      const body = { model: "random", messages: [user], seed, temperature: 2, response_format };
      const { choices } = (await json(chat(server, body))) as { choices: { message: Json; finish_reason: string }[] };
      expect(choices[0]!.finish_reason).toBe("stop");
      const thing = JSON.parse(String(choices[0]!.message.content)) as Json;
      expect(Object.keys(thing)).toEqual(["kind", "count"]);
      expect(["a", "b"]).toContain(thing.kind);
      expect(thing.count).toBeGreaterThanOrEqual(0);
      expect(thing.count).toBeLessThanOrEqual(99);
    }
    const any = {
      model: "random",
      messages: [user],
      seed: 1,
      max_tokens: 300,
      response_format: { type: "json_object" },
    };
    const { choices } = (await json(chat(server, any))) as {
      choices: { message: { content: string }; finish_reason: string }[];
    };
    // a text that was cut says so; one that has ended parses
    expect(choices[0]!.message.content.trimStart().startsWith("{")).toBe(true);
    if (choices[0]!.finish_reason === "stop") expect(typeof JSON.parse(choices[0]!.message.content)).toBe("object");
    const impossible = { ...schema, properties: { kind: { enum: ["a"], minItems: 3, not: {} } } };
    const refused = { ...response_format, json_schema: { name: "thing", schema: impossible } };
    const [status, param] = await errorOf(
      chat(server, { model: "random", messages: [user], response_format: refused }),
    );
    expect([status, param]).toEqual([400, "response_format"]);
  });

  it("give log-probabilities with bytes and alternatives", async () => {
    const server = serve(random);
    const body = { model: "random", messages: [user], max_tokens: 5, temperature: 0, logprobs: true, top_logprobs: 3 };
    const { choices } = (await json(chat(server, body))) as {
      choices: {
        message: { content: string };
        logprobs: { content: { bytes: number[]; logprob: number; top_logprobs: Json[] }[] };
      }[];
    };
    const { logprobs, message } = choices[0]!;
    expect(logprobs.content).toHaveLength(5);
    const bytes = Uint8Array.from(logprobs.content.flatMap((token) => token.bytes));
    expect(new TextDecoder().decode(bytes)).toBe(message.content);
    for (const { logprob, top_logprobs } of logprobs.content) {
      // greedy: the chosen token is the likeliest
      expect(top_logprobs.map((top) => top.logprob)[0]).toBe(logprob);
      expect(top_logprobs).toHaveLength(3);
      expect(logprob).toBeLessThanOrEqual(0);
    }
  });
});

describe("tools", () => {
  const body = { model: "calling", messages: [user], temperature: 0, tools: [weatherTool] };

  it("are called, at once and streamed", async () => {
    const server = serve(calling);
    const { choices } = (await json(chat(server, body))) as { choices: { message: Json; finish_reason: string }[] };
    expect(choices[0]!.finish_reason).toBe("tool_calls");
    expect(choices[0]!.message).toEqual({
      role: "assistant",
      content: null,
      refusal: null,
      tool_calls: [
        {
          id: expect.stringMatching(/^call_[0-9a-f]{24}$/),
          type: "function",
          function: { name: "get_weather", arguments: '{"city": "Paris"}' },
        },
      ],
    });

    const frames = (await framesOf(await chat(server, { ...body, stream: true }))).slice(0, -1) as Chunk[];
    const deltas = frames.flatMap(({ choices: [choice] }) => (choice!.delta.tool_calls as Json[] | undefined) ?? []);
    expect(deltas[0]).toMatchObject({ index: 0, type: "function", function: { name: "get_weather", arguments: "" } });
    expect(deltas.length).toBeGreaterThanOrEqual(3);
    expect(deltas.slice(1).every((delta) => Object.keys(delta).join() === "index,function")).toBe(true);
    const text = deltas.map((delta) => (delta.function as Json).arguments).join("");
    expect(JSON.parse(text)).toEqual({ city: "Paris" });
    expect(frames.at(-1)!.choices[0]!.finish_reason).toBe("tool_calls");
    expect(frames.some(({ choices: [choice] }) => choice!.delta.content)).toBe(false);
  });

  it("are text where none are given, and forced where one is named", async () => {
    const server = serve(calling);
    const plain = (await json(chat(server, { ...body, tool_choice: "none" }))) as { choices: { message: Json }[] };
    expect(plain.choices[0]!.message.content).toBe(call.join(""));
    for (const [tool_choice, reason] of [
      [{ type: "function", function: { name: "get_weather" } }, "stop"],
      ["required", "tool_calls"],
    ] as const) {
      // what is put before the answer must be in the script to go on from
      const model = scriptedModel([
        ["\n", ' {"city": ', '"Oslo"}}', "\n</tool_call>"],
        ['"', 'get_weather", "arguments":', ' {"city": '],
      ]);
      await using service = await openTextService(runtime, model, { id: "calling" });
      const forced = (await json(chat(serve(service), { ...body, tool_choice }))) as {
        choices: { message: { tool_calls: { function: Json }[] }; finish_reason: string }[];
      };
      expect(forced.choices[0]!.message.tool_calls[0]!.function).toEqual({
        name: "get_weather",
        arguments: '{"city": "Oslo"}',
      });
      expect(forced.choices[0]!.finish_reason).toBe(reason);
    }
  });

  it("end after one call where calls are not to be parallel", async () => {
    const model = scriptedModel([["\n", ...call, "\n ", "<tool_call>"]]);
    await using service = await openTextService(runtime, model, { id: "calling" });
    const single = (await json(chat(serve(service), { ...body, parallel_tool_calls: false }))) as {
      choices: { message: { tool_calls: Json[] }; finish_reason: string }[];
    };
    expect(single.choices[0]!.message.tool_calls).toHaveLength(1);
    expect(single.choices[0]!.finish_reason).toBe("tool_calls");
    const many = (await json(chat(serve(service), { ...body, max_tokens: 40 }))) as typeof single;
    expect(many.choices[0]!.message.tool_calls.length).toBeGreaterThan(3);
  });

  it("come back as messages", async () => {
    const server = serve(calling);
    const tool_calls = [
      { id: "c1", type: "function", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } },
    ];
    const messages = [
      user,
      { role: "assistant", content: null, refusal: null, tool_calls },
      { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "rain" }] },
    ];
    const rendered = await calling.renderChat({
      model: "calling",
      messages: [{ role: "assistant", content: "", tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }] }],
      tools: [],
      variables: {},
    });
    expect(rendered.text).toContain('<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>');
    expect((await chat(server, { ...body, messages })).status).toBe(200);
    const wrong = [
      user,
      { role: "assistant", tool_calls: [{ ...tool_calls[0], function: { name: "x", arguments: "[" } }] },
    ];
    expect((await errorOf(chat(server, { ...body, messages: wrong })))[1]).toBe(
      "messages.1.tool_calls.0.function.arguments",
    );
  });
});

describe("completions", () => {
  it("go on from text and from ids, several at once", async () => {
    const server = serve(speaking);
    const ids = [...scriptedModel([answer]).tokenizer.encode("It is")];
    for (const prompt of ["\n", ["\n", "It is"], [ids, ids], ids]) {
      const { choices, object } = (await json(
        post(server, "/v1/completions", { model: "org/speaking", prompt, temperature: 0 }),
      )) as { choices: { index: number; text: string; finish_reason: string }[]; object: string };
      expect(object).toBe("text_completion");
      expect(choices.map(({ index }) => index)).toEqual(choices.map((_, i) => i));
      expect(choices.every(({ text }) => text.endsWith(" sunny in Paris."))).toBe(true);
    }
    const frames = await framesOf(
      await post(server, "/v1/completions", { model: "org/speaking", prompt: "\n", temperature: 0, stream: true }),
    );
    const texts = (frames.slice(0, -1) as { choices: { text: string }[] }[]).map(({ choices }) => choices[0]!.text);
    expect(texts.join("")).toBe("It is sunny in Paris.");
  });

  it("have log-probabilities in the older form, and 16 tokens where none are asked for", async () => {
    const server = serve(random);
    const { choices } = (await json(
      post(server, "/v1/completions", { model: "random", prompt: "You", temperature: 0, logprobs: 2 }),
    )) as { choices: { logprobs: { tokens: string[]; text_offset: number[]; top_logprobs: Json[] } }[] };
    const { tokens, text_offset, top_logprobs } = choices[0]!.logprobs;
    expect(tokens).toHaveLength(16);
    expect(text_offset.slice(0, 2)).toEqual([0, tokens[0]!.length]);
    expect(Object.keys(top_logprobs[0]!)).toContain(tokens[0]);
  });
});

describe("embeddings", () => {
  const texts = ["a b c", "d e", "z z z z"];
  let folder: string;
  let service: OpenTextService;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tessera-embeddings-"));
    await cp(fileURLToPath(new URL("../../../test/golden/encoders/bert", import.meta.url)), folder, {
      recursive: true,
    });
    const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ..."abcdefghijklmnopqrstuvwxyz", "##s"];
    await writeFile(join(folder, "vocab.txt"), `${words.join("\n")}\n`);
    const embeddings = { id: "encoder", loaded: await loadEncoder(folder) };
    service = await openTextService(runtime, randomModel(), { id: "random", embeddings });
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  it("come in the order of the texts, as numbers or base64", async () => {
    const server = serve(service);
    const ask = (more: Json) => json(post(server, "/v1/embeddings", { model: "encoder", input: texts, ...more }));
    const numbers = (await ask({})) as { data: { index: number; embedding: number[] }[]; usage: Json };
    expect(numbers.data.map(({ index }) => index)).toEqual([0, 1, 2]);
    const expected = await embedTexts(runtime, await loadEncoder(folder), texts);
    for (const [i, { embedding }] of numbers.data.entries()) expect(embedding).toEqual(Array.from(expected[i]!));
    // [CLS] and [SEP] around 3, 2 and 4 tokens
    expect(numbers.usage).toEqual({ prompt_tokens: 15, total_tokens: 15 });
    const coded = (await ask({ encoding_format: "base64" })) as { data: { embedding: string }[] };
    const bytes = Uint8Array.from(atob(coded.data[1]!.embedding), (c) => c.charCodeAt(0));
    expect(Array.from(new Float32Array(bytes.buffer))).toEqual(Array.from(expected[1]!));
  });

  it("are not made of long texts, nor by models that write", async () => {
    const server = serve(service);
    const long = post(server, "/v1/embeddings", { model: "encoder", input: ["a", "b ".repeat(1000)] });
    expect((await errorOf(long)).slice(0, 3)).toEqual([400, "input.1", "context_length_exceeded"]);
    const wrong = post(server, "/v1/embeddings", { model: "random", input: "a" });
    expect((await errorOf(wrong)).slice(0, 3)).toEqual([400, "model", "model_not_supported"]);
    const other = chat(server, { model: "encoder", messages: [user] });
    expect((await errorOf(other)).slice(0, 3)).toEqual([400, "model", "model_not_supported"]);
  });
});

describe("models", () => {
  it("are listed and found, with slashes in their names", async () => {
    const { app } = serve(speaking);
    const listed = (await json(app.request("/v1/models"))) as { object: string; data: Json[] };
    expect(listed).toMatchObject({
      object: "list",
      data: [{ id: "org/speaking", object: "model", max_model_len: 512 }],
    });
    expect(await json(app.request("/v1/models/org/speaking"))).toEqual(listed.data[0]);
  });
});

it("describes itself", async () => {
  const { app } = serve(random);
  const document = (await json(app.request("/openapi.json"))) as { openapi: string; paths: Record<string, Json> };
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining([
      "/v1/chat/completions",
      "/v1/completions",
      "/v1/embeddings",
      "/v1/models",
      "/v1/models/{id}",
      "/v1/load_lora_adapter",
      "/v1/unload_lora_adapter",
    ]),
  );
  expect(JSON.stringify(document.paths["/v1/chat/completions"])).toContain("tool_choice");
});
