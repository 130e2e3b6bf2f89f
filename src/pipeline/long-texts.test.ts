/** @file Texts that are saved as they are written, and prompts that come in pieces, through a service. */

import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomModel } from "../../test/support/served-model.js";
import { cachePolicies } from "../engine/index.js";
import { Runtime } from "../runtime/index.js";
import { journalPath, type SavedRequest, SavedText } from "./saved-text.js";
import { type LocalTextService, openTextService } from "./text-service.js";

let folder: string;
let runtime: Runtime;
let service: LocalTextService;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-long-"));
  runtime = await Runtime.open({ numThreads: 1 });
  service = await openTextService(runtime, randomModel({ contextLength: 256 }), { id: "tiny" });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await runtime.close();
  await rm(folder, { recursive: true });
});

const { signal } = new AbortController();
const request = {
  model: "tiny",
  sampling: { temperature: 1, topP: 1, topK: 30 },
  seed: 4,
  stop: ["@@"],
  maxTokens: 24,
  signal,
};

describe("a saved text", () => {
  const saved = (): SavedRequest => ({
    version: 1,
    model: "tiny",
    fingerprint: service.fingerprint,
    weights: "float32",
    prompt: "Hello, how",
    ...{ sampling: request.sampling, seed: 4, stop: [], maxTokens: 24, blockTokens: 8, beyondContext: "stop" },
  });

  it("is the file's text, block by block, and is never written over", async () => {
    const path = join(folder, "text.txt");
    await using text = await SavedText.create(path, saved());
    let written = "";
    for await (const block of text.write(service, { signal })) {
      written += block.text;
      expect(await readFile(path, "utf8")).toBe(written);
    }
    expect(text.blocks).toHaveLength(3);
    await expect(SavedText.create(path, saved())).rejects.toThrow(`is there already; go on with it (--resume ${path})`);
    // whatever became of the text, its blocks are there
    await writeFile(path, "something else");
    await using again = await SavedText.resume(path);
    expect(again.isFinished).toBe(true);
    expect(await readFile(path, "utf8")).toBe(written);
    for await (const _ of again.write(service, { signal })) expect.fail("nothing is left to write");
  });

  it("says what is wrong", async () => {
    const path = join(folder, "other.txt");
    await expect(SavedText.resume(path)).rejects.toThrow("there is no");
    const text = await SavedText.create(path, { ...saved(), fingerprint: "0123456789abcdef" });
    await expect(text.write(service, { signal }).next()).rejects.toThrow("was begun with tiny (0123456789abcdef)");
    await text[Symbol.asyncDispose]();
    const whole = await readFile(journalPath(path), "utf8");
    await writeFile(journalPath(path), whole.replace("Hello", "Jello"));
    await expect(SavedText.resume(path)).rejects.toThrow("does not begin with a request");
    await writeFile(journalPath(path), whole.replace("Hello", "Jello"));
    await appendFile(journalPath(path), whole);
    await expect(SavedText.resume(path)).rejects.toThrow("record 1 is damaged");
  });
});

describe("a prompt that comes in pieces", () => {
  const text = "Hello, how are you? The weather in Paris is sunny. ".repeat(3);

  async function* pieces(of: string, size: number): AsyncGenerator<string> {
    for (let at = 0; at < of.length; at += size) yield of.slice(at, at + size);
  }

  async function written(from: { pieces: AsyncIterable<{ text: string }> }): Promise<string> {
    let all = "";
    for await (const piece of from.pieces) all += piece.text;
    return all;
  }

  it.each([text, "x", ""])("gives what the whole prompt gives: %j", async (prompt) => {
    const whole = await service.generate({ ...request, prompt: { kind: "plain", text: prompt } });
    const expected = await written(whole);
    for (const size of [1, 7, 1000]) {
      const streamed = service.generateAfter(pieces(prompt, size), request);
      expect(await written(streamed)).toBe(expected);
      expect(streamed.numPromptTokens).toBe(whole.numPromptTokens);
    }
  });

  it("may be of any length with a cache that makes room, and else says that it is too long", async () => {
    await expect(written(service.generateAfter(pieces(text.repeat(8), 50), request))).rejects.toThrow(
      "the context holds 256 with at least one to generate; shorten it, or take a cache that has no end",
    );
    const options = { id: "endless", cache: cachePolicies["sinks-window"], contextLength: 200 };
    await using endless = await openTextService(runtime, randomModel({ contextLength: 256 }), options);
    const generation = endless.generateAfter(pieces(text.repeat(8), 50), { ...request, model: "endless" });
    expect((await written(generation)).length).toBeGreaterThan(0);
    expect(generation.numPromptTokens).toBeGreaterThan(400);
    expect(endless.contextLength).toBe(Number.POSITIVE_INFINITY);
  });
});
