/** @file Documents that are too long for a model, read in parts: real models, real documents, in process and over HTTP. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { randomModel, scriptedModel } from "../../test/support/served-model.js";
import { httpModel, type ReadingModel, readingStrategies } from "../long/index.js";
import { Runtime } from "../runtime/index.js";
import { createOpenAiApp } from "../server/openai/index.js";
import { ResultFile, readingModel } from "./reading-model.js";
import { type LocalTextService, openTextService } from "./text-service.js";

let folder: string;
let runtime: Runtime;
let service: LocalTextService;
let model: ReadingModel;
let document: string;
const sampling = { temperature: 1, topP: 1 };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-reading-"));
  runtime = await Runtime.open({ numThreads: 1 });
  service = await openTextService(runtime, randomModel({ contextLength: 2048 }), { id: "tiny" });
  model = readingModel(service, { sampling, seed: 1, stop: [] });
  document = await readFile(new URL("../../docs/decisions/002-embedded-index.md", import.meta.url), "utf8");
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await runtime.close();
  await rm(folder, { recursive: true });
});

const request = () => ({ document, task: "What is it about?", answerTokens: 48 });

/** A model that counts what it is asked. */
function watched(inner: ReadingModel, before: (prompt: string) => void = () => {}) {
  const prompts: string[] = [];
  const generate: ReadingModel["generate"] = async (prompt, options) => {
    prompts.push(prompt);
    before(prompt);
    return inner.generate(prompt, options);
  };
  return { prompts, model: { ...inner, generate } };
}

const { select, ...throughAll } = readingStrategies;

describe.each(Object.entries(throughAll))("reading by %s", (name, strategy) => {
  it("is named by its key, takes all of the document, and nothing that does not fit", async () => {
    expect(strategy.name).toBe(name);
    const { prompts, model: counting } = watched(model);
    const reading = await strategy.read(counting, request());
    for (const prompt of prompts) expect((await model.countPrompt(prompt)) + 48).toBeLessThanOrEqual(2048);
    const leaves = reading.parts.filter(({ level }) => level === 0);
    expect(leaves.length).toBeGreaterThan(2);
    const spans = leaves.map((part) => part.spans.at(-1)!);
    // chunks leave nothing between them but white space, and stand in the prompts as they are
    const gaps = spans.map(({ start }, i) => document.slice(spans[i - 1]?.end ?? 0, start));
    expect(gaps.join("").trim()).toBe("");
    for (const [i, { start, end }] of spans.entries())
      expect(
        prompts.some((prompt) => prompt.includes(document.slice(start, end))),
        `part ${i}`,
      ).toBe(true);
    expect(reading.parts.map(({ index }) => index)).toEqual([
      ...leaves.keys(),
      ...reading.parts.slice(leaves.length).map(({ index }) => index),
    ]);
  });

  it("gives the same however many parts are read at once", async () => {
    const one = await strategy.read(model, { ...request(), concurrency: 1 });
    expect(await strategy.read(model, { ...request(), concurrency: 6 })).toEqual(one);
    expect(await strategy.read(model, { ...request(), task: "What else?" })).not.toEqual(one);
  });

  it("goes on after a failure, which names the stretch, without what is known", async () => {
    const path = join(folder, `${name}.results`);
    const whole = await strategy.read(model, request());
    let count = 0;
    const failing = watched(model, () => {
      if (++count === 3) throw new Error("out of luck");
    });
    {
      await using results = await ResultFile.open(path);
      const reading = strategy.read(failing.model, { ...request(), results, concurrency: 1 });
      await expect(reading).rejects.toThrow(/reading: part 3 of \d+ \(characters \d+ to \d+\): out of luck/);
      await expect(reading).rejects.toMatchObject({ name: "ReadingError", spans: whole.parts[2]!.spans });
    }
    await using results = await ResultFile.open(path);
    const again = watched(model);
    const reading = await strategy.read(again.model, { ...request(), results });
    expect(reading.text).toBe(whole.text);
    expect(reading.parts.filter(({ isKnown }) => isKnown)).toHaveLength(2);
    expect(again.prompts).toHaveLength(reading.parts.length - 2);
    const third = watched(model);
    expect((await strategy.read(third.model, { ...request(), results })).text).toBe(whole.text);
    expect(third.prompts).toEqual([]);
  });

  it("answers at once from a document that fits", async () => {
    const { prompts, model: counting } = watched(model);
    const reading = await strategy.read(counting, { ...request(), document: "# Rain\n\nIt rains." });
    expect(prompts).toHaveLength(1);
    expect(reading.parts).toMatchObject([{ level: 0, index: 0, spans: [{ start: 0, end: 17 }] }]);
    expect((await strategy.read(counting, { ...request(), document: " " })).text).toBe("NONE");
  });

  it("says what is wrong with options and templates", async () => {
    const read = (more: object) => strategy.read(model, { ...request(), ...more });
    await expect(read({ answerTokens: 2040 })).rejects.toThrow("leave no room for text in a context of 2048");
    await expect(read({ concurrency: 0 })).rejects.toThrow("concurrency must be a whole number from 1");
    await expect(read({ templates: { nope: "" } })).rejects.toThrow("there is no template nope here; there are");
    const [own] = Object.keys(strategy.templates);
    await expect(read({ templates: { [own!]: "{chunk} {task} {chnk}" } })).rejects.toThrow(
      "has {chnk}, but its values are",
    );
    await expect(read({ templates: { [own!]: "{task}" } })).rejects.toThrow(`the ${own} template has no {chunk}`);
    const { prompts, model: counting } = watched(model);
    const templates = { [own!]: ({ chunk }: Readonly<Record<string, string>>) => `<<${chunk}>>` };
    await strategy.read(counting, { ...request(), concurrency: 1, templates });
    expect(prompts[0]).toMatch(/^<<# 002/);
    const signal = AbortSignal.abort();
    await expect(read({ signal })).rejects.toThrow("aborted");
  });
});

it("reads once what fits, and says what that is", async () => {
  const { prompts, model: counting } = watched(model);
  const reading = await select.read(counting, { ...request(), task: "Why was better-sqlite3 not chosen?" });
  expect(prompts).toHaveLength(1);
  expect(prompts[0]).toContain("better-sqlite3 13.2.0 segfaults");
  expect((await model.countPrompt(prompts[0]!)) + 48).toBeLessThanOrEqual(2048);
  expect(reading.note).toMatch(/^\d+ tokens are more than the budget of \d+: kept \d+ passages/);
  for (const { start, end } of reading.parts[0]!.spans) expect(prompts[0]).toContain(document.slice(start, end));
  const short = await select.read(model, { ...request(), document: "It rains." });
  expect(short.note).toMatch(/^all \d+ tokens fit/);
  await expect(select.read(model, { ...request(), answerTokens: 2040 })).rejects.toThrow("leave no room");
});

it("joins answers in levels, and keeps where they come from", async () => {
  const { parts } = await readingStrategies["map-reduce"].read(model, {
    ...request(),
    document: document.repeat(8),
    answerTokens: 220,
  });
  const levels = Math.max(...parts.map(({ level }) => level));
  expect(levels).toBeGreaterThan(1);
  const last = parts.at(-1)!;
  const leaves = parts.filter(({ level }) => level === 0).flatMap(({ spans }) => spans);
  expect(last.spans).toEqual(leaves);
});

it("reads anew only what was edited", async () => {
  const results = new Map<string, string>();
  await readingStrategies["map-reduce"].read(model, { ...request(), results });
  const edited = document.replace("97 |", "98 |");
  expect(edited).not.toBe(document);
  const { parts } = await readingStrategies["map-reduce"].read(model, { ...request(), document: edited, results });
  expect(parts.filter(({ level, isKnown }) => level === 0 && !isKnown)).toHaveLength(1);
});

it("joins only answers that say something", async () => {
  // the answer's first token follows the line break at a prompt's end
  await using scripted = await openTextService(runtime, scriptedModel([["\n", "NONE"]], 512), { id: "none" });
  const silent = readingModel(scripted, { sampling: { temperature: 0, topP: 1 }, seed: 0, stop: [] });
  const asked = { document: "It rains. ".repeat(150), task: "Why?", answerTokens: 16 };
  for (const strategy of Object.values(readingStrategies)) {
    const reading = await strategy.read(silent, asked);
    expect(reading.text.trim()).toBe("NONE");
    expect(reading.parts.every(({ level }) => level === 0)).toBe(true);
  }
});

it("votes: most parts win, then the first; case, quotes and marks do not matter", async () => {
  const answers = ["Blue.", "red", "NONE", '"blue"', "Red!", " RED "];
  const spans: string[] = [];
  const fixed: ReadingModel = { ...model, generate: async () => answers[spans.length] ?? "NONE" };
  const reading = await readingStrategies.vote.read(fixed, {
    ...request(),
    concurrency: 1,
    document: document.repeat(8),
    onPart: ({ text }) => spans.push(text),
  });
  expect(reading.text).toBe("red");
  expect(reading.votes!.map(({ text, count }) => [text, count])).toEqual([
    ["red", 3],
    ["Blue.", 2],
  ]);
  expect(reading.votes![1]!.spans).toEqual([reading.parts[0]!.spans[0], reading.parts[3]!.spans[0]]);
});

it("reads through a server of OpenAI's interface as in the process, parts together", async () => {
  await using chatting = await openTextService(runtime, randomModel({ contextLength: 1024 }), { id: "chat" });
  const { app } = createOpenAiApp(chatting, {
    host: "127.0.0.1",
    maxBodyBytes: 1e6,
    maxWaiting: 64,
    timeoutSeconds: 60,
  });
  const send = vi.fn(async (url, options) => app.fetch(new Request(url, options)));
  const options = {
    baseUrl: "http://127.0.0.1:8000/v1/",
    model: "chat",
    contextLength: 1024,
    counter: chatting.tokenizer,
  };
  const remote = httpModel({ ...options, overheadTokens: 60, temperature: 0, seed: 7, fetch: send });
  const local = readingModel(chatting, { sampling: { temperature: 0, topP: 1 }, seed: 7, stop: [] });
  const asked = { document: document.slice(0, 3000), task: "What is it?", answerTokens: 32 };
  const reading = await readingStrategies.vote.read(remote, asked);
  expect(send).toHaveBeenCalledTimes(reading.parts.length);
  const sameChunks = { ...local, countPrompt: remote.countPrompt };
  expect((await readingStrategies.vote.read(sameChunks, asked)).parts).toEqual(reading.parts);
  const missing = httpModel({ ...options, model: "none", fetch: send });
  await expect(readingStrategies.vote.read(missing, asked)).rejects.toThrow(/characters 0 to \d+\): .* answered 404/);
});
