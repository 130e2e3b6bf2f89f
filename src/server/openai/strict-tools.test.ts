/** @file Calls whose arguments are held to their schema: every call that has ended parses, whatever the weights. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { chat, errorOf, type Json, json, user } from "../../../test/support/openai-requests.js";
import { randomModel, scriptedModel } from "../../../test/support/served-model.js";
import { type OpenTextService, openTextService } from "../../pipeline/text-service.js";
import { type LoadedModel, loadModel } from "../../presets/index.js";
import { Runtime } from "../../runtime/index.js";
import { createOpenAiApp, type OpenAiApp } from "./index.js";

const stories = fileURLToPath(new URL("../../../../shared/data/llm-stories260k/stories260K.bin", import.meta.url));

/** Templates that teach a format each, and do not spend the small contexts here on schemas. */
const messages = "{% for m in messages %}{{ m.role }}\n{{ m.content }}\n{% endfor %}assistant\n";
const templates = {
  hermes: `${messages}{# <tool_call> #}`,
  llama3: `${messages}{# Environment: ipython #}`,
  mistral: `${messages}{# [TOOL_CALLS] #}`,
};

const schemas: Record<string, Json & { type: "object" }> = {
  place: {
    type: "object",
    properties: { city: { enum: ["Paris", "Oslo"] }, days: { type: "integer", minimum: 1, maximum: 14 } },
    required: ["city", "days"],
    additionalProperties: false,
  },
  list: {
    type: "object",
    properties: {
      items: {
        type: "array",
        minItems: 1,
        maxItems: 3,
        items: {
          type: "object",
          properties: { id: { $ref: "#/$defs/id" }, ok: { type: "boolean" } },
          required: ["id"],
        },
      },
      note: { anyOf: [{ type: "string", maxLength: 5 }, { type: "null" }] },
    },
    required: ["items", "note"],
    $defs: { id: { type: "string", pattern: "^[a-f]{2}-[0-9]{2}$" } },
  },
  nothing: { type: "object", properties: {}, additionalProperties: false },
};
const validators = Object.fromEntries(
  Object.entries(schemas).map(([name, schema]) => [name, z.fromJSONSchema(schema)]),
);
const tools = (strict: boolean) =>
  Object.entries(schemas).map(([name, parameters]) => ({ type: "function", function: { name, parameters, strict } }));

interface Choice {
  readonly message: { content: string | null; tool_calls?: { function: { name: string; arguments: string } }[] };
  readonly finish_reason: string;
}

async function choiceOf(server: OpenAiApp, body: Json): Promise<Choice> {
  const answer = await json(chat(server, { model: "m", messages: [user], max_tokens: 300, ...body }));
  expect(answer.error).toBeUndefined();
  return (answer as unknown as { choices: Choice[] }).choices[0]!;
}

/** Calls of an answer, checked; the last may be cut where the limit ended it. */
function checkedCalls({ message, finish_reason }: Choice): string[] {
  const calls = message.tool_calls ?? [];
  const ended = finish_reason === "length" ? calls.slice(0, -1) : calls;
  return ended.map(({ function: { name, arguments: text } }) => {
    const result = validators[name]!.safeParse(JSON.parse(text));
    expect(result.error, text).toBeUndefined();
    return name;
  });
}

function withTemplate(loaded: LoadedModel, template: string): LoadedModel {
  const config = new TextEncoder().encode(JSON.stringify({ chat_template: template }));
  return { ...loaded, tokenizerFiles: new Map([...loaded.tokenizerFiles, ["tokenizer_config.json", config]]) };
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

const models: readonly (readonly [string, boolean, boolean, () => Promise<LoadedModel>])[] = [
  ["random weights", false, true, async () => randomModel({ special: ["[TOOL_CALLS]"] })],
  ["stories260K (skipped without ../shared/data)", true, existsSync(stories), () => loadModel(stories)],
];

describe.each(models)("%s", (_, isReal, isThere, load) => {
  describe.runIf(isThere).each(Object.entries(templates))("%s", (_name, template) => {
    let service: OpenTextService;
    let server: OpenAiApp;
    beforeAll(async () => {
      service = await openTextService(runtime, withTemplate(await load(), template), { id: "m" });
      server = createOpenAiApp(service);
    });
    afterAll(() => service[Symbol.asyncDispose]());

    it("writes arguments of the schema where a call must come", async () => {
      const called = new Set<string>();
      let numEnded = 0;
      for (let seed = 0; seed < 4; seed++) {
        const required = await choiceOf(server, {
          tools: tools(false),
          tool_choice: "required",
          parallel_tool_calls: seed % 2 === 0,
          seed,
          temperature: seed % 3,
        });
        if (required.finish_reason !== "length") expect(required.message.content).toBeNull();
        for (const name of checkedCalls(required)) called.add(name);
        if (required.finish_reason === "tool_calls") numEnded++;
        const [name] = Object.keys(schemas).slice(seed % 3);
        const named = await choiceOf(server, {
          tools: tools(seed % 2 === 0),
          tool_choice: { type: "function", function: { name } },
          seed,
        });
        expect(named.finish_reason).toBe("stop");
        expect(checkedCalls(named)).toEqual([name]);
      }
      expect(numEnded).toBeGreaterThan(1);
      expect(called.size).toBeGreaterThan(0);
    });

    it("writes as it would without strict functions until it calls one", async () => {
      let numCompared = 0;
      for (let seed = 0; seed < 4; seed++) {
        const body = { seed, max_tokens: 30, temperature: 1 };
        const free = await choiceOf(server, { ...body, tools: tools(false) });
        const strict = await choiceOf(server, { ...body, tools: tools(true) });
        checkedCalls(strict);
        if (free.message.tool_calls || strict.message.tool_calls) continue;
        // special tokens are no text where the form of an answer is held
        const shown = free.message.content!.replace(/<\|\w+\|>|\[TOOL_CALLS\]|<\/?s>|<unk>|\ufffd/g, "");
        if (shown !== free.message.content) continue;
        expect(strict.message.content).toBe(free.message.content);
        numCompared++;
      }
      if (isReal) expect(numCompared).toBeGreaterThan(1);
    });
  });
});

describe("a model that calls by itself", () => {
  const wrong = ['{"name": "place", "arguments": ', '{"city": ', '5, "days": ', "99}}"];
  const scripts: Record<keyof typeof templates, readonly string[]> = {
    hermes: ["\n", "I look.", "<tool_call>", ...wrong, "\n</tool_call>"],
    mistral: ["\n", "I look.", "[TOOL_CALLS]", "[", ...wrong, "]"],
    llama3: ["\n", '{"name": "place", "parameters": ', ...wrong.slice(1)],
  };

  it.each(Object.keys(templates) as (keyof typeof templates)[])("writes what the schema allows: %s", async (name) => {
    const options = { template: templates[name], special: ["[TOOL_CALLS]"] };
    const loaded = scriptedModel([scripts[name]], 512, options);
    await using service = await openTextService(runtime, loaded, { id: "m" });
    const server = createOpenAiApp(service);
    const loose = await choiceOf(server, { tools: tools(false), temperature: 0, parallel_tool_calls: false });
    expect(loose.message.tool_calls?.[0]?.function.arguments).toBe('{"city": 5, "days": 99}');
    const strict = await choiceOf(server, { tools: tools(true), temperature: 0, parallel_tool_calls: false });
    expect(strict.finish_reason).toBe("tool_calls");
    expect(checkedCalls(strict)).toEqual(["place"]);
    expect(strict.message.content).toBe(name === "llama3" ? null : "I look.");
  });

  it("may call instead of answering in a form", async () => {
    const options = { template: templates.hermes };
    const script = ["\n", "<tool_call>", '\n{"name": "nothing", "arguments": ', "{}}", "\n</tool_call>"];
    const schema = { type: "object", properties: { a: { type: "boolean" } }, required: ["a"] };
    const response_format = { type: "json_schema", json_schema: { name: "a", schema } };
    const body = { tools: tools(true), response_format, temperature: 0 };
    await using calling = await openTextService(runtime, scriptedModel([script], 512, options), { id: "m" });
    expect(checkedCalls(await choiceOf(createOpenAiApp(calling), body))).toEqual(["nothing"]);
    await using speaking = await openTextService(runtime, scriptedModel([["\n", '{"a"', ": true}"]], 512, options), {
      id: "m",
    });
    const { message } = await choiceOf(createOpenAiApp(speaking), body);
    expect(JSON.parse(message.content!)).toEqual({ a: true });
  });
});

it("names a function that cannot be held to its schema", async () => {
  await using service = await openTextService(runtime, randomModel(), { id: "m" });
  const server = createOpenAiApp(service);
  const ask = (parameters: Json, strict: boolean, tool_choice: string) => {
    const tool = { type: "function", function: { name: "f", parameters, strict } };
    return errorOf(chat(server, { model: "m", messages: [user], tools: [tool], tool_choice }));
  };
  const unknown = { type: "object", properties: { a: { type: "string", not: {} } } };
  const impossible = { type: "object", properties: { a: { type: "string", minLength: 5, maxLength: 1 } } };
  for (const [strict, choice] of [
    [true, "auto"],
    [false, "required"],
  ] as const) {
    const refused = [400, "tools", "invalid_schema"];
    expect(await ask(unknown, strict, choice)).toEqual([
      ...refused,
      expect.stringContaining("tools.0.function.parameters#/properties/a: a constraint cannot follow not"),
    ]);
    expect(await ask(impossible, strict, choice)).toEqual([...refused, expect.stringContaining("minLength 5")]);
  }
});
