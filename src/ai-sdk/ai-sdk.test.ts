/** @file What the provider makes of prompts, settings and answers; test/e2e/ai-sdk.test.ts has the rest. */

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LanguageModelV3CallOptions, LanguageModelV3StreamPart } from "@ai-sdk/provider";
import { createProviderRegistry, embed, embedMany, generateText } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomModel, scriptedModel } from "../../test/support/served-model.js";
import { ConfigError, UnsupportedError } from "../base/errors.js";
import { type OpenTextService, openTextService } from "../pipeline/text-service.js";
import { embedTexts, loadEncoder } from "../presets/index.js";
import { Runtime } from "../runtime/index.js";
import type { TextRequest, TextService } from "../server/openai/service.js";
import { createTessera } from "./index.js";
import { chatTurnsOf } from "./prompt.js";

const prompt: LanguageModelV3CallOptions["prompt"] = [{ role: "user", content: [{ type: "text", text: "Hello" }] }];

let runtime: Runtime;
let random: OpenTextService;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  random = await openTextService(runtime, randomModel({ contextLength: 1024 }), { id: "random" });
});
afterAll(async () => {
  await random[Symbol.asyncDispose]();
  await runtime.close();
});

/** The service, and what it was asked. */
function watched(defaults = {}): { service: TextService; asked: TextRequest[] } {
  const asked: TextRequest[] = [];
  const service: TextService = {
    ...random,
    models: () => random.models().map((model) => ({ ...model, defaults })),
    generate(request) {
      asked.push(request);
      return random.generate(request);
    },
  };
  return { service, asked };
}

async function partsOf(stream: ReadableStream<LanguageModelV3StreamPart>): Promise<LanguageModelV3StreamPart[]> {
  const parts: LanguageModelV3StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

describe("settings", () => {
  it("reach the model, and where there are none the makers' do", async () => {
    const { service, asked } = watched({ temperature: 0.6, topK: 20 });
    const model = createTessera(service)("random");
    const providerOptions = { tessera: { minP: 0.1, repetitionPenalty: 1.2 } };
    const base = { prompt, maxOutputTokens: 2, seed: 5 };
    await model.doGenerate({ ...base, topP: 0.5, presencePenalty: 1, frequencyPenalty: -1, providerOptions });
    const { providerMetadata } = await model.doGenerate({ ...base, temperature: 0, topK: 3, stopSequences: ["x"] });
    expect(asked[0]).toMatchObject({ seed: 5, maxTokens: 2, stop: [] });
    expect(asked[0]!.sampling).toEqual({
      temperature: 0.6,
      topP: 0.5,
      topK: 20,
      minP: 0.1,
      repetitionPenalty: 1.2,
      presencePenalty: 1,
      frequencyPenalty: -1,
    });
    expect(asked[1]!.sampling).toEqual({ temperature: 0, topP: 1, topK: 3 });
    expect(asked[1]!.stop).toEqual(["x"]);
    expect(providerMetadata).toEqual({ tessera: { seed: 5 } });
  });

  it("that have no effect are warned of, those that are wrong refused", async () => {
    const model = createTessera(random)("random");
    const tool = { type: "function" as const, name: "f", inputSchema: {}, inputExamples: [{ input: {} }] };
    const search = { type: "provider", id: "other.search", name: "search", args: {} } as const;
    const { warnings } = await model.doGenerate({
      prompt,
      maxOutputTokens: 1,
      tools: [tool, search],
    });
    expect(warnings).toMatchObject([
      { type: "unsupported", feature: "inputExamples of the tool f" },
      { type: "unsupported", feature: "tool other.search" },
    ]);
    const wrong = (more: object) => model.doGenerate({ prompt, ...more });
    await expect(wrong({ providerOptions: { tessera: { minp: 1 } } })).rejects.toThrow(
      /providerOptions.tessera.*minp/s,
    );
    await expect(wrong({ topP: 2 })).rejects.toThrow(ConfigError);
    await expect(wrong({ toolChoice: { type: "required" } })).rejects.toThrow("there are no tools");
    await expect(wrong({ maxOutputTokens: 5000 })).rejects.toThrow("context holds 1024");
  });
});

describe("prompts", () => {
  it("become messages of a chat", () => {
    const turns = chatTurnsOf([
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "hm" },
          { type: "text", text: "I look." },
          { type: "tool-call", toolCallId: "1", toolName: "f", input: { x: 1 } },
        ],
      },
      {
        role: "tool",
        content: [
          { type: "tool-result", toolCallId: "1", toolName: "f", output: { type: "json", value: { y: [2] } } },
          { type: "tool-result", toolCallId: "2", toolName: "g", output: { type: "execution-denied", reason: "no" } },
          {
            type: "tool-result",
            toolCallId: "3",
            toolName: "h",
            output: { type: "content", value: [{ type: "text", text: "t" }] },
          },
        ],
      },
    ]);
    expect(turns).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "a\nb" },
      {
        role: "assistant",
        content: "I look.",
        reasoning_content: "hm",
        tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: { x: 1 } } }],
      },
      { role: "tool", content: '{"y":[2]}', tool_call_id: "1", name: "f" },
      { role: "tool", content: "no", tool_call_id: "2", name: "g" },
      { role: "tool", content: "t", tool_call_id: "3", name: "h" },
    ]);
  });

  it("of files are refused by place", () => {
    const file = { type: "file", data: "", mediaType: "image/png" } as const;
    expect(() => chatTurnsOf([{ role: "user", content: [file] }])).toThrow(UnsupportedError);
    expect(() => chatTurnsOf([{ role: "user", content: [file] }])).toThrow("prompt.0: a part of the type file");
    expect(() => chatTurnsOf([{ role: "assistant", content: [file] }])).toThrow("type file");
  });
});

describe("answers", () => {
  it("are parts between marks of beginning and end", async () => {
    const script = ["\n", "I look.", "<tool_call>", '{"name": "f", "arguments": {', "}}", "</tool_call>"];
    await using service = await openTextService(runtime, scriptedModel([script]), { id: "m" });
    const model = createTessera(service)("m");
    const tools = [{ type: "function", name: "f", inputSchema: {} } as const];
    const { stream } = await model.doStream({ prompt, temperature: 0, tools, includeRawChunks: true });
    const parts = await partsOf(stream);
    expect(parts.filter(({ type }) => type !== "raw").map(({ type }) => type)).toEqual([
      "stream-start",
      "response-metadata",
      "text-start",
      "text-delta",
      "text-end",
      "tool-input-start",
      "tool-input-delta",
      "tool-input-delta",
      "tool-input-end",
      "tool-call",
      "finish",
    ]);
    expect(parts.find(({ type }) => type === "tool-call")).toMatchObject({ toolName: "f", input: "{}" });
    expect(parts.filter(({ type }) => type === "raw").length).toBeGreaterThan(4);
    expect(parts.at(-1)).toMatchObject({ finishReason: { unified: "tool-calls", raw: "tool_calls" } });
    const { content } = await model.doGenerate({ prompt, temperature: 0, tools });
    expect(content).toMatchObject([
      { type: "text", text: "I look." },
      { type: "tool-call", input: "{}" },
    ]);
    // a call that the limit cuts is given out as far as it came
    const cut = await model.doGenerate({ prompt, temperature: 0, tools, maxOutputTokens: 3 });
    expect(cut.finishReason.unified).toBe("length");
    expect(cut.content.at(-1)).toMatchObject({ type: "tool-call", toolName: "f", input: "{" });
  });

  it("end with an error when the service is closed", async () => {
    const service = await openTextService(runtime, randomModel(), { id: "m" });
    const { stream } = await createTessera(service)("m").doStream({ prompt, seed: 3 });
    const reader = stream.getReader();
    for (let i = 0; i < 4; i++) await reader.read();
    await service[Symbol.asyncDispose]();
    const rest = async () => {
      while (!(await reader.read()).done);
    };
    await expect(rest()).rejects.toThrow("closed before the answer's end");
  });
});

describe("the provider", () => {
  it("knows its models, also in a registry", async () => {
    const tessera = createTessera(random);
    expect(() => tessera("gpt-9")).toThrow("there is no model gpt-9 here, but random");
    expect(() => tessera.imageModel("random")).toThrow(UnsupportedError);
    const registry = createProviderRegistry({ tessera });
    const model = registry.languageModel("tessera:random");
    const { text } = await generateText({ model, prompt: "Hi", maxOutputTokens: 3, seed: 1 });
    const same = await generateText({ model: tessera("random"), prompt: "Hi", maxOutputTokens: 3, seed: 1 });
    expect(text).toBe(same.text);
  });

  it("goes on from plain text where there is no chat template", async () => {
    await using service = await openTextService(runtime, scriptedModel([["You", " are", " helpful."]]), { id: "m" });
    const model = createTessera(service).completionModel("m");
    const { text, usage } = await generateText({ model, prompt: "You", temperature: 0 });
    expect([text, usage.inputTokens]).toEqual([" are helpful.", 1]);
    const tools = [{ type: "function" as const, name: "f", inputSchema: {} }];
    await expect(model.doGenerate({ prompt, tools })).rejects.toThrow("tools need the model's chat template");
  });

  it("embeds", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tessera-ai-sdk-"));
    const golden = fileURLToPath(new URL("../../test/golden/encoders/bert", import.meta.url));
    await cp(golden, folder, { recursive: true });
    const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ..."abcdefghijklmnopqrstuvwxyz", "##s"];
    await writeFile(join(folder, "vocab.txt"), `${words.join("\n")}\n`);
    const loaded = await loadEncoder(folder);
    await rm(folder, { recursive: true });
    const options = { id: "random", embeddings: { id: "encoder", loaded } };
    await using service = await openTextService(runtime, randomModel(), options);
    const model = createTessera(service).embeddingModel("encoder");
    const values = ["a b c", "d e"];
    const expected = (await embedTexts(runtime, loaded, values)).map((vector) => Array.from(vector));
    const { embeddings, usage } = await embedMany({ model, values });
    expect(embeddings).toEqual(expected);
    expect(usage.tokens).toBe(9);
    expect((await embed({ model, value: "d e" })).embedding).toHaveLength(expected[0]!.length);
    const none = embed({ model: createTessera(random).embeddingModel("random"), value: "a", maxRetries: 0 });
    await expect(none).rejects.toThrow("makes no embeddings");
  });
});
