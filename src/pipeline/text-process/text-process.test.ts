/** @file An engine in a process of its own: the same text, its deaths, aborts and slow readers. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { savedModel } from "../../../test/support/saved-model.js";
import { randomModel } from "../../../test/support/served-model.js";
import { CapacityError, UnsupportedError } from "../../base/errors.js";
import { createAdapter, saveAdapter, tuningOf } from "../../peft/index.js";
import { Runtime } from "../../runtime/index.js";
import { ApiError, createOpenAiApp, type TextPiece, type TextRequest } from "../../server/openai/index.js";
import { type OpenTextService, openTextService } from "../text-service.js";
import { openTextProcess, type TextProcess } from "./open.js";
import { readAhead } from "./protocol.js";

const loaded = randomModel({ contextLength: 4096 });
let folder: string;
let runtime: Runtime;
let here: OpenTextService;
let there: TextProcess;
const deaths: string[] = [];
const restarts = { backoffMilliseconds: 1, onDeath: (message: string) => deaths.push(message) };

beforeAll(async () => {
  folder = await savedModel(loaded);
  runtime = await Runtime.open({ numThreads: 1 });
  here = await openTextService(runtime, loaded, { id: "m" });
  there = await openTextProcess({ path: folder, id: "m", numThreads: 1 }, restarts);
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
  await runtime.close();
  await rm(folder, { recursive: true });
});

const request = (more: Partial<TextRequest> = {}): TextRequest => ({
  model: "m",
  prompt: { kind: "plain", text: "You are" },
  maxTokens: 40,
  sampling: { temperature: 0, topP: 1 },
  seed: 1,
  stop: [],
  signal: new AbortController().signal,
  ...more,
});
/** Always the same token, so that the text does not end by itself. */
const endless = { temperature: 0, topP: 1, logitBias: new Map([[65, 100]]) };
const forever = (signal = new AbortController().signal) => request({ maxTokens: 4000, sampling: endless, signal });

async function piecesOf(service: OpenTextService, asked: TextRequest): Promise<TextPiece[]> {
  const { pieces } = await service.generate(asked);
  const seen = [];
  for await (const piece of pieces) seen.push(piece);
  return seen;
}

function kill({ engineState }: TextProcess): void {
  const { pid } = engineState();
  expect(pid).toBeGreaterThan(0);
  process.kill(pid!, "SIGKILL");
}

describe("what comes from the other process", () => {
  it.each<[string, Partial<TextRequest>]>([
    ["greedy", {}],
    ["sampled, with log-probabilities", { sampling: { temperature: 1, topP: 0.9, topK: 40 }, logprobs: 2 }],
    ["stopped by a string", { stop: ["e"] }],
    ["a JSON schema", { constraint: { type: "json_schema", schema: { type: "integer" } } }],
    ["a choice", { constraint: { type: "form", form: { type: "choice", options: ["red", "green"] }, begun: "" } }],
    ["biased, longer than the window of pieces", { maxTokens: 3 * readAhead, sampling: endless }],
  ])("is what comes in this one: %s", async (_, more) => {
    const expected = await piecesOf(here, request(more));
    expect(expected.at(-1)!.finishReason).toBeDefined();
    expect(await piecesOf(there, request(more))).toEqual(expected);
  });

  it("is the same chat, model list and counts", async () => {
    const chat = { model: "m", messages: [{ role: "user", content: "Hi" }], tools: [], variables: {} };
    expect(await there.renderChat(chat)).toEqual(await here.renderChat(chat));
    expect(there.models().map(({ id, contextLength }) => [id, contextLength])).toEqual([["m", 4096]]);
    expect([there.weightBytes, there.concurrency]).toEqual([here.weightBytes, here.concurrency]);
    expect((await there.generate(request())).numPromptTokens).toBe((await here.generate(request())).numPromptTokens);
  });

  it("are errors of the same classes", async () => {
    const long = there.generate(request({ maxTokens: 5000 }));
    await expect(long).rejects.toBeInstanceOf(ApiError);
    await expect(long).rejects.toMatchObject({ status: 400, code: "context_length_exceeded", param: "prompt" });
    const tooSmall = openTextProcess({ path: folder, id: "m", cacheBytes: 1 });
    await expect(tooSmall).rejects.toBeInstanceOf(CapacityError);
  });
});

describe("a request that is given up", () => {
  it.each(["signal", "return"] as const)("by %s frees the engine at once", async (how) => {
    const abort = new AbortController();
    const { pieces } = await there.generate(forever(abort.signal));
    await pieces.next();
    expect((await there.statistics()).running).toBe(1);
    if (how === "signal") abort.abort();
    else await pieces.return();
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
    await expect.poll(async () => (await there.statistics()).running).toBe(0);
    const { generatedTokens } = await there.statistics();
    await piecesOf(there, request({ maxTokens: 1 }));
    expect((await there.statistics()).generatedTokens).toBe(generatedTokens + 1);
  });

  it("before it began never begins", async () => {
    const { generatedTokens } = await there.statistics();
    const { pieces } = await there.generate(forever());
    await pieces.return();
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
    await expect(there.generate(forever(AbortSignal.abort(new Error("gone"))))).rejects.toThrow("gone");
    expect(await there.statistics()).toMatchObject({ generatedTokens, running: 0, waiting: 0 });
  });
});

it("a reader that stops reading holds neither the engine nor more than a window of pieces", async () => {
  const { pieces } = await there.generate(request({ maxTokens: 3000, sampling: endless }));
  const first = await pieces.next();
  expect(first.done).toBe(false);
  // the engine writes on, and has room for others
  await expect.poll(async () => (await there.statistics()).running, { timeout: 30_000 }).toBe(0);
  let count = 1;
  for await (const { ids } of pieces) count += ids.length;
  expect(count).toBe(3000);
});

describe("a process that dies", () => {
  it("fails what is in flight, starts again and serves the next request", async () => {
    const expected = await piecesOf(here, request());
    const { app } = createOpenAiApp(there);
    const body = { model: "m", prompt: "You are", max_tokens: 3000, temperature: 0, logit_bias: { 65: 100 } };
    const complete = (more: object) =>
      app.request("/v1/completions", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...body, ...more }),
      });
    const whole = complete({});
    const stream = await complete({ stream: true });
    const reader = stream.body!.getReader();
    await reader.read();
    expect((await app.request("/health")).status).toBe(200);
    kill(there);
    const failed = await whole;
    expect(failed.status).toBe(500);
    expect(failed.headers.get("retry-after")).toBe("1");
    expect(await failed.json()).toEqual({
      error: {
        message: "the engine died (signal SIGKILL) before the answer's end; send the request again",
        type: "server_error",
        param: null,
        code: "engine_died",
      },
    });
    let last = "";
    for (let next = await reader.read(); !next.done; next = await reader.read())
      last = new TextDecoder().decode(next.value);
    expect(JSON.parse(last.slice("data: ".length)).error.code).toBe("engine_died");
    const health = await app.request("/health");
    expect([health.status, await health.json()]).toEqual([503, { status: "restarting", restarts: 0 }]);
    expect(await piecesOf(there, request())).toEqual(expected);
    expect(await (await app.request("/health")).json()).toEqual({ status: "ok", restarts: 1 });
    const metrics = await (await app.request("/metrics")).text();
    expect(metrics).toContain("# TYPE tessera_engine_restarts_total counter\ntessera_engine_restarts_total 1\n");
    expect(deaths).toEqual(["the engine died (signal SIGKILL); it starts again in 0 ms"]);
  });

  it("brings back the adapters that came while it ran, and not those that went", async () => {
    const adapter = createAdapter(loaded.model);
    const { start } = tuningOf(loaded.model, adapter);
    const parameters = new Map([...loaded.parameters, ...start(loaded.parameters)]);
    for (const name of ["kept", "gone"]) await saveAdapter(join(folder, name), loaded.model, adapter, parameters);
    const options = { path: folder, id: "m", numThreads: 1, adapterFolder: folder };
    await using process = await openTextProcess(options, { ...restarts, onDeath: () => {} });
    for (const name of ["kept", "gone"]) await process.loadAdapter!({ name, path: name });
    await process.unloadAdapter!("gone");
    expect(process.models().map(({ id }) => id)).toEqual(["m", "kept"]);
    kill(process);
    const written = async () => (await piecesOf(process, request({ model: "kept" }))).length;
    // the first may be in flight when the process dies
    await expect(written().catch(written)).resolves.toBeGreaterThan(0);
    await expect(piecesOf(process, request({ model: "gone" }))).rejects.toThrow("gone");
  });

  it("again and again is not started any more, and says so", async () => {
    const path = await savedModel(randomModel());
    const heard: string[] = [];
    const options = { maxFailures: 2, backoffMilliseconds: 1, onDeath: (message: string) => heard.push(message) };
    await using dying = await openTextProcess({ path, id: "m", numThreads: 1 }, options);
    await rm(path, { recursive: true });
    kill(dying);
    await expect.poll(() => dying.engineState().status, { timeout: 30_000 }).toBe("failed");
    await expect(dying.generate(request())).rejects.toMatchObject({ status: 503, code: "engine_failed" });
    expect(heard).toHaveLength(2);
    expect(heard[1]).toMatch(/^the engine died 2 times in a row, the last time of: .*there is no such file or folder/);
    const health = await createOpenAiApp(dying).app.request("/health");
    expect([health.status, await health.json()]).toEqual([503, { status: "failed", restarts: 0 }]);
  });
});

it("closing ends the process, and what is in flight with it; a model without a template takes no chats", async () => {
  const path = await savedModel({ ...randomModel(), tokenizerFiles: new Map() });
  const service = await openTextProcess({ path, id: "m", numThreads: 1 });
  const { pid } = service.engineState();
  const chat = service.renderChat({ model: "m", messages: [], tools: [], variables: {} });
  await expect(chat).rejects.toBeInstanceOf(UnsupportedError);
  const { pieces } = await service.generate(request({ maxTokens: 400, sampling: endless }));
  await pieces.next();
  await service[Symbol.asyncDispose]();
  const rest = async (): Promise<void> => {
    for await (const { finishReason } of pieces) expect(finishReason).toBeUndefined();
  };
  // the text's last message and the news of the process's end may overtake each other
  await rest().catch((error: Error) => expect(error.message).toContain("the engine is closed"));
  expect(() => process.kill(pid!, 0)).toThrow("ESRCH");
  await rm(path, { recursive: true });
});
