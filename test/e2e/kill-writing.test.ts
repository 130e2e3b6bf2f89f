/** @file A process that is killed while it writes a text, and one that goes on from what it left. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Rng } from "../../src/base/rng.js";
import type { BlockHook } from "../../src/long/index.js";
import { type SavedRequest, SavedText } from "../../src/pipeline/saved-text.js";
import { type LocalTextService, openTextService } from "../../src/pipeline/text-service.js";
import { Runtime } from "../../src/runtime/index.js";
import { randomModel } from "../support/served-model.js";

const NUM_BLOCKS = 60;

/** Random weights end a text here and there; it goes on all the same. */
const onBlock: BlockHook = ({ end }) => (end === "stop" ? { guidance: " Hello" } : undefined);

/** Resumes a text with a tiny model; prints a line for each block. */
const writer = (path: string): string => `
  import { SavedText } from "./src/pipeline/saved-text.js";
  import { openTextService } from "./src/pipeline/text-service.js";
  import { Runtime } from "./src/runtime/index.js";
  import { randomModel } from "./test/support/served-model.js";
  const runtime = await Runtime.open({ numThreads: 1 });
  const service = await openTextService(runtime, randomModel({ contextLength: 128 }), { id: "tiny" });
  const saved = await SavedText.resume(${JSON.stringify(path)});
  const onBlock = ${onBlock};
  const { signal } = new AbortController();
  for await (const _ of saved.write(service, { signal, onBlock })) console.log(saved.blocks.length);`;

let folder: string;
let runtime: Runtime;
let service: LocalTextService;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-writing-"));
  runtime = await Runtime.open({ numThreads: 1 });
  service = await openTextService(runtime, randomModel({ contextLength: 128 }), { id: "tiny" });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await runtime.close();
  await rm(folder, { recursive: true });
});

/** Writes in a process of its own, which is killed a moment after it has written so many blocks. */
async function killAfter(path: string, numBlocks: number, milliseconds: number): Promise<void> {
  const args = ["--import", "tsx", "--input-type=module", "-e", writer(path)];
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(new URL("../../", import.meta.url)) });
  let [output, errors] = ["", ""];
  child.stderr!.on("data", (text) => {
    errors += text;
  });
  child.stdout!.on("data", (text) => {
    output += text;
    if (output.split("\n").length > numBlocks) setTimeout(() => child.kill("SIGKILL"), milliseconds);
  });
  const [, signal] = await once(child, "close");
  expect(errors).toBe("");
  expect(signal).toBe("SIGKILL");
}

async function finish(saved: SavedText): Promise<string> {
  for await (const _ of saved.write(service, { signal: new AbortController().signal, onBlock }));
  expect(saved.isFinished).toBe(true);
  await saved[Symbol.asyncDispose]();
  return readFile(saved.path, "utf8");
}

const requestOf = (temperature: number): SavedRequest => ({
  version: 1,
  model: "tiny",
  fingerprint: service.fingerprint,
  weights: "float32",
  prompt: "What is the weather in Paris?",
  sampling: { temperature, topP: 0.95, topK: 50 },
  seed: 11,
  stop: ["@@"],
  maxTokens: NUM_BLOCKS * 16,
  blockTokens: 16,
  beyondContext: "roll",
});

it.skipIf(process.platform === "win32").each([
  ["sampled", 1, 2],
  ["greedy", 0, 1],
])("a %s text is the same after kill -9, byte for byte", async (name, temperature, numKills) => {
  const whole = await finish(await SavedText.create(join(folder, `${name}-whole.txt`), requestOf(temperature)));
  expect(whole.length).toBeGreaterThan(500);
  const path = join(folder, `${name}.txt`);
  await (await SavedText.create(path, requestOf(temperature)))[Symbol.asyncDispose]();
  const rng = new Rng(Date.now());
  for (let kill = 0; kill < numKills; kill++) await killAfter(path, 1 + rng.below(12), rng.below(40));
  const saved = await SavedText.resume(path);
  expect(saved.blocks.length).toBeGreaterThan(0);
  expect(saved.blocks.length).toBeLessThan(NUM_BLOCKS);
  // the block that was under way is lost, the text is that of the others
  const kept = saved.blocks.map(({ text }) => text).join("");
  expect(whole.startsWith(kept)).toBe(true);
  expect(await readFile(path, "utf8")).toBe(kept);
  expect(await finish(saved)).toBe(whole);
});
