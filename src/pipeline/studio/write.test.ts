/** @file Texts over HTTP: tokens with their probabilities, chats, grounded texts that are checked, failures in words. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeRandomAdapter } from "../../../test/support/adapter-folder.js";
import { savedModel } from "../../../test/support/saved-model.js";
import { randomModel, scriptedModel } from "../../../test/support/served-model.js";
import { createStudioApp } from "../../server/studio/app.js";
import type { ErrorResponse, WriteEvent, WriteRequest } from "../../server/studio/wire/index.js";
import { KnowledgeBase } from "../knowledge-base/knowledge-base.js";
import { openStudio, type Studio } from "./studio.js";

const pump = "# Pump\n\nThe pump starts at 40 degrees. It stops after nine minutes.\n";
const grounded = ["\n", "It starts", ' at 40 degrees [1: "starts at 40 degrees"].', ' It is blue [1: "blue pump"].'];

const loaded = randomModel();
let root: string;
let studio: Studio;
const models: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-write-"));
  const [folder, workspace] = [join(root, "docs"), join(root, "workspace")];
  await mkdir(folder);
  await writeFile(join(folder, "pump.md"), pump);
  const filler = "Birds sing in the morning, and nobody minds them much. ".repeat(16);
  await writeFile(join(folder, "tank.md"), `# Tank\n\n${filler}The tank holds 90 litres. ${filler}\n`);
  await using knowledge = await KnowledgeBase.open(folder, { workspace, settings: { embedder: "none" } });
  await knowledge.sync();
  models.push(await savedModel(loaded), await savedModel(scriptedModel([grounded], 1024)));
  studio = await openStudio({ folder, workspace, base: models[0]!, weights: "float32" });
  studio.writers.add({ id: "scripted", label: "scripted", kind: "tuned", model: models[1]! });
});
afterAll(async () => {
  await studio?.[Symbol.asyncDispose]();
  for (const folder of [root, ...models]) await rm(folder, { recursive: true });
});

const post = (request: Partial<WriteRequest>) =>
  createStudioApp(studio, { assets: new Map() }).request("/api/write", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      writer: "base",
      earlier: [],
      prompt: "Hello",
      temperature: 0,
      topP: 1,
      maxTokens: 12,
      seed: 1,
      isGrounded: false,
      ...request,
    }),
  });

type Sent = WriteEvent | { readonly event: "error"; readonly data: ErrorResponse };

async function eventsOf(request: Partial<WriteRequest>): Promise<Sent[]> {
  const text = await (await post(request)).text();
  return text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block)!;
      return { event, data: JSON.parse(data!) } as Sent;
    });
}
const tokensOf = (events: readonly Sent[]) => events.flatMap((event) => (event.event === "token" ? [event.data] : []));
const textOf = (events: readonly Sent[]) =>
  tokensOf(events)
    .map(({ text }) => text)
    .join("");

describe("a text", () => {
  it("comes token by token, each with its probability and the likeliest in its place", async () => {
    const events = await eventsOf({});
    expect(events[0]).toMatchObject({ event: "start", data: { form: "chat" } });
    expect(events.at(-1)).toMatchObject({ event: "end", data: { reason: "length", numTokens: 12 } });
    const tokens = tokensOf(events);
    expect(tokens).toHaveLength(12);
    for (const { token, probability, top } of tokens) {
      expect(top).toHaveLength(5);
      // at temperature 0 the likeliest is taken
      expect(top[0]).toEqual({ token, probability });
      const all = top.map((chance) => chance.probability);
      expect(all).toEqual([...all].sort((a, b) => b - a));
      expect(all.reduce((sum, p) => sum + p)).toBeLessThanOrEqual(1 + 1e-6);
    }
    expect(studio.live.current.writers[0]).toMatchObject({ id: "base", kind: "base", hasChat: true });
  });

  it("goes on with a conversation", async () => {
    const one = await eventsOf({});
    const two = await eventsOf({
      earlier: [
        { role: "user", content: "Hello" },
        { role: "assistant", content: textOf(one) },
      ],
      prompt: "What is the weather in Paris?",
    });
    const sizes = [one, two].map(([start]) => (start!.event === "start" ? start!.data.numPromptTokens : 0));
    expect(sizes[1]).toBeGreaterThan(sizes[0]! + 12);
    expect(textOf(two)).not.toBe(textOf(one));
  });

  it("is the same for the same seed and another for another", async () => {
    const wild = { temperature: 1.5, maxTokens: 20 };
    const [one, again, other] = [
      await eventsOf({ ...wild, seed: 7 }),
      await eventsOf({ ...wild, seed: 7 }),
      await eventsOf({ ...wild, seed: 8 }),
    ];
    expect(textOf(again)).toBe(textOf(one));
    expect(textOf(other)).not.toBe(textOf(one));
  });

  it("is an adapter's, on its base", async () => {
    const adapter = join(root, "adapter");
    await writeRandomAdapter(adapter, loaded.model, { seed: 1, targets: ["q_proj", "v_proj", "o_proj"] });
    studio.writers.add({ id: "adapter", label: "an adapter", kind: "adapter", model: models[0]!, adapter });
    expect(textOf(await eventsOf({ writer: "adapter" }))).not.toBe(textOf(await eventsOf({})));
  });

  it("from the documents is checked against them", async () => {
    const events = await eventsOf({
      writer: "scripted",
      prompt: "When does the pump start?",
      isGrounded: true,
      maxTokens: 200,
    });
    expect(textOf(events)).toContain('at 40 degrees [1: "starts at 40 degrees"]');
    const checked = events.find(({ event }) => event === "checked") as Extract<WriteEvent, { event: "checked" }>;
    const [held, invented] = checked.data.statements;
    expect(held!.quotes[0]).toMatchObject({ path: "pump.md", text: "starts at 40 degrees" });
    expect(pump.slice(held!.quotes[0]!.start, held!.quotes[0]!.end)).toBe("starts at 40 degrees");
    expect(invented).toMatchObject({ text: "It is blue", quotes: [] });
  });
});

describe("a text from a document whose passages do not fit", () => {
  it("is written from the sentences that say most of what is asked", async () => {
    const prompt = "How much does the tank hold?";
    const events = await eventsOf({ writer: "scripted", prompt, isGrounded: true, maxTokens: 200 });
    expect(events.at(-1)).toMatchObject({ event: "end" });
    const [start] = events;
    const numPromptTokens = start!.event === "start" ? start!.data.numPromptTokens : 0;
    // of a document that is longer than the context
    expect(numPromptTokens + 200).toBeLessThanOrEqual(1024);
  });
});

describe("a text that cannot be written", () => {
  it.each<[string, Partial<WriteRequest>, string]>([
    ["an unknown model", { writer: "nobody" }, 'there is no model "nobody" here; there is base, scripted, adapter'],
    ["a prompt that is too long", { prompt: "weather ".repeat(900) }, "the context holds 512"],
    [
      "no room for passages",
      { isGrounded: true, prompt: "pump", maxTokens: 500 },
      "no passage fits in the rest; take fewer tokens",
    ],
  ])("says why: %s", async (_kind, request, message) => {
    const last = (await eventsOf(request)).at(-1);
    expect(last).toMatchObject({ event: "error", data: { error: { message: expect.stringContaining(message) } } });
  });

  it.each<[string, Partial<WriteRequest>]>([
    ["prompt", { prompt: "" }],
    ["temperature", { temperature: 3 }],
    ["topP", { topP: 2 }],
    ["maxTokens", { maxTokens: 0 }],
    ["seed", { seed: 0.5 }],
    ["earlier", { isGrounded: true, earlier: [{ role: "user", content: "Hello" }] }],
  ])("names the field: %s", async (field, request) => {
    const response = await post(request);
    const { error } = (await response.json()) as ErrorResponse;
    expect([response.status, error.field]).toEqual([400, field]);
  });

  it("ends when its reader leaves", async () => {
    const reader = (await post({ maxTokens: 400, temperature: 1 })).body!.getReader();
    await reader.read();
    await reader.cancel();
    using writer = await studio.writers.open("base", new AbortController().signal);
    await expect.poll(async () => (await writer.service.statistics()).running).toBe(0);
  });
});
