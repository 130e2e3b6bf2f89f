/** @file The Vercel AI SDK, unchanged, over the provider in this process and over `tessera serve`'s app by HTTP. */

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  generateObject,
  generateText,
  type LanguageModel,
  Output,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createTessera } from "../../src/ai-sdk/index.js";
import { type OpenTextService, openTextService } from "../../src/pipeline/text-service.js";
import { Runtime } from "../../src/runtime/index.js";
import { createOpenAiApp, listen, parseApiKeys, type RunningServer } from "../../src/server/index.js";
import { chatTemplate, randomModel, scriptedModel } from "../support/served-model.js";

const KEY = "sk-test-0123456789";
const spoken = ["\n", "It is", " sunny", " in Paris", "."];
const called = [
  "\n",
  "<tool_call>",
  '\n{"name": "weather", "argu',
  'ments":',
  ' {"city": ',
  '"Paris"}}',
  "\n</tool_call>",
];
/** After a tool's result the answer begins with a word of its own, so that the model goes on elsewhere. */
const told = ["Result:", " 20", " degrees"];
const twoStepTemplate = chatTemplate.replace(
  "assistant\n{% endif %}",
  "assistant\n{% if messages[-1].role == 'tool' %}Result:{% endif %}{% endif %}",
);

let runtime: Runtime;
const services: Record<string, OpenTextService> = {};
const servers: RunningServer[] = [];
const models = { process: {} as Record<string, LanguageModel>, http: {} as Record<string, LanguageModel> };

beforeAll(async () => {
  globalThis.AI_SDK_LOG_WARNINGS = false;
  runtime = await Runtime.open({ numThreads: 1 });
  const keys = await parseApiKeys(JSON.stringify([{ name: "test", key: KEY }]), "test");
  const loaded = {
    speaking: scriptedModel([spoken]),
    calling: scriptedModel([called, told], 512, { template: twoStepTemplate }),
    random: randomModel({ contextLength: 1024 }),
  };
  for (const [id, model] of Object.entries(loaded)) {
    // one sequence at a time: what is not freed blocks the next
    const service = await openTextService(runtime, model, { id, maxSequences: 1 });
    services[id] = service;
    models.process[id] = createTessera(service)(id);
    const server = await listen(createOpenAiApp(service, { keys }).app, { port: 0 });
    servers.push(server);
    const baseURL = `${server.url}v1`;
    const options = { name: "tessera", baseURL, apiKey: KEY, supportsStructuredOutputs: true, includeUsage: true };
    models.http[id] = createOpenAICompatible(options)(id);
  }
});
afterAll(async () => {
  for (const server of servers) await server.close();
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
  await runtime.close();
});

const prompt = "What is the weather in Paris?";
const weather = tool({
  description: "The weather of a city",
  inputSchema: z.object({ city: z.enum(["Paris", "Oslo"]) }),
  execute: async ({ city }) => ({ city, degrees: 20 }),
});

describe.each(["process", "http"] as const)("by %s", (kind) => {
  const model = (id: string): LanguageModel => models[kind][id]!;
  const options = { prompt, temperature: 0, maxRetries: 0 };

  it("writes text, with usage and the reason of its end", async () => {
    const result = await generateText({ ...options, model: model("speaking") });
    expect([result.text, result.finishReason]).toEqual(["It is sunny in Paris.", "stop"]);
    expect(result.usage.outputTokens).toBe(4);
    expect(result.usage.inputTokens).toBeGreaterThan(10);
    expect(result.warnings ?? []).toEqual([]);
    const stopped = await generateText({ ...options, model: model("speaking"), stopSequences: ["sunny in"] });
    expect([stopped.text, stopped.finishReason]).toEqual(["It is ", "stop"]);
    const cut = await generateText({ ...options, model: model("speaking"), maxOutputTokens: 2 });
    expect([cut.text, cut.finishReason, cut.usage.outputTokens]).toEqual(["It is sunny", "length", 2]);
  });

  it("streams it", async () => {
    const result = streamText({ ...options, model: model("speaking") });
    const pieces: string[] = [];
    for await (const text of result.textStream) pieces.push(text);
    expect(pieces.join("")).toBe("It is sunny in Paris.");
    expect(pieces.length).toBeGreaterThanOrEqual(4);
    expect(await result.finishReason).toBe("stop");
    expect((await result.usage).outputTokens).toBe(4);
  });

  it("replays by seed", async () => {
    const ask = async (seed: number) => {
      const body = { prompt, seed, temperature: 1, maxOutputTokens: 12, model: model("random") };
      return (await generateText(body)).text;
    };
    expect(await ask(3)).toBe(await ask(3));
    expect(await ask(3)).not.toBe(await ask(4));
    // the client for servers keeps topK to itself
    const single = kind === "http" ? { providerOptions: { tessera: { top_k: 1 } } } : { topK: 1 };
    const likeliest = { prompt, maxOutputTokens: 12, model: model("random"), seed: 3 };
    const { text } = await generateText({ ...likeliest, temperature: 1, ...single });
    expect(text).toBe((await generateText({ ...likeliest, temperature: 0 })).text);
  });

  it("calls tools and goes on with what they gave", async () => {
    const asked = { ...options, model: model("calling"), tools: { weather }, stopWhen: stepCountIs(3) };
    const { steps, text } = await generateText(asked);
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "stop"]);
    expect(steps[0]!.toolCalls).toMatchObject([{ toolName: "weather", input: { city: "Paris" } }]);
    expect(steps[0]!.toolResults).toMatchObject([{ output: { city: "Paris", degrees: 20 } }]);
    expect(text).toBe(" 20 degrees");
    expect(steps[1]!.usage.inputTokens).toBeGreaterThan(steps[0]!.usage.inputTokens!);

    const streamed = streamText(asked);
    const types = new Map<string, number>();
    let input = "";
    for await (const part of streamed.fullStream) {
      types.set(part.type, (types.get(part.type) ?? 0) + 1);
      if (part.type === "tool-input-delta") input += part.delta;
    }
    expect(JSON.parse(input)).toEqual({ city: "Paris" });
    expect(types.get("tool-input-delta")).toBeGreaterThan(1);
    for (const type of ["tool-input-start", "tool-call", "tool-result", "tool-input-end"]) {
      expect(types.get(type), type).toBe(1);
    }
    expect(await streamed.text).toBe(" 20 degrees");
  });

  it("calls the tool that must be called with arguments of its schema, whatever the weights", async () => {
    const inputSchema = z.object({ city: z.enum(["Paris", "Oslo"]), days: z.int().min(1).max(9) });
    const execute = async () => "done";
    const tools = {
      forecast: tool({ inputSchema, execute }),
      other: tool({ inputSchema: z.object({}), execute }),
    };
    for (const toolChoice of ["required", { type: "tool", toolName: "forecast" }] as const) {
      for (let seed = 0; seed < 3; seed++) {
        const asked = { prompt, model: model("random"), tools, toolChoice, seed, maxOutputTokens: 200 };
        const providerOptions = {
          tessera: kind === "http" ? { parallel_tool_calls: false } : { parallelToolCalls: false },
        };
        const { toolCalls, finishReason } = await generateText({ ...asked, providerOptions });
        expect(toolCalls).toHaveLength(1);
        expect(toolCalls[0]).not.toHaveProperty("invalid");
        if (toolCalls[0]!.toolName === "forecast") inputSchema.parse(toolCalls[0]!.input);
        expect(["tool-calls", "stop"]).toContain(finishReason);
      }
    }
  });

  it("makes objects of a schema, at once and streamed", async () => {
    const schema = z.object({
      kind: z.enum(["rain", "sun"]),
      hours: z.array(z.int().min(0).max(23)).min(1).max(2),
      note: z.string().max(6).nullable(),
    });
    for (let seed = 0; seed < 2; seed++) {
      const asked = { prompt, model: model("random"), seed, temperature: 1, maxRetries: 0 };
      schema.parse((await generateObject({ ...asked, schema })).object);
      const streamed = streamObject({ ...asked, schema });
      let numPartial = 0;
      for await (const partial of streamed.partialObjectStream) numPartial += Number(Object.keys(partial).length > 0);
      expect(numPartial).toBeGreaterThan(1);
      schema.parse(await streamed.object);
      const { output } = await generateText({ ...asked, output: Output.object({ schema }) });
      schema.parse(output);
    }
  });

  it("ends in the middle when it is told to, and the model is free", async () => {
    const stop = new AbortController();
    let [text, wasAborted] = ["", false];
    const result = streamText({
      prompt,
      model: model("random"),
      // of this seed the text is long
      seed: 3,
      abortSignal: stop.signal,
      onAbort: () => {
        wasAborted = true;
      },
    });
    for await (const part of result.fullStream) {
      if (part.type === "text-delta") text += part.text;
      if (text.length > 5) stop.abort();
    }
    expect(wasAborted).toBe(true);
    expect(text.length).toBeLessThan(200);
    const late = generateText({ prompt, model: model("random"), abortSignal: AbortSignal.abort() });
    await expect(late).rejects.toMatchObject({ name: "AbortError" });
    // a reader that goes frees it too
    for await (const _ of streamText({ prompt, seed: 3, model: model("random") }).textStream) break;
    const next = await generateText({ prompt, model: model("random"), seed: 3, maxOutputTokens: 2 });
    expect(next.usage.outputTokens).toBe(2);
  });

  it("says what is wrong", async () => {
    const long = generateText({ model: model("random"), prompt: "zq".repeat(600), maxRetries: 0 });
    await expect(long).rejects.toThrow(/the prompt has \d{3,} tokens, but the context holds 1024/);
    const broken = generateObject({
      ...options,
      model: model("random"),
      schema: z.object({ at: z.string().regex(/(?=a)b/) }),
    });
    await expect(broken).rejects.toThrow(/response_format: .*look-around/);
    const hot = generateText({ model: model("random"), prompt, temperature: -1, maxRetries: 0 });
    await expect(hot).rejects.toThrow(/temperature/);
    const errors: unknown[] = [];
    const streamed = streamText({
      model: model("random"),
      prompt: "zq".repeat(600),
      onError: ({ error }) => void errors.push(error),
    });
    for await (const _ of streamed.textStream);
    expect(String(errors[0])).toContain("the context holds 1024");
    if (kind === "http") expect(APICallError.isInstance(errors[0])).toBe(true);
  });
});
