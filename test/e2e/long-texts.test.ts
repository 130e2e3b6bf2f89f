/** @file Long texts with real weights: a story in blocks, prompts as streams, and this repository's documents read in parts. */

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cachePolicies } from "../../src/engine/index.js";
import { readingStrategies } from "../../src/long/index.js";
import { type LocalTextService, openTextService, readingModel } from "../../src/pipeline/index.js";
import { loadModel } from "../../src/presets/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { cliMain } from "../support/cli.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, "../shared/data/llm-stories260k");
const greedy = { sampling: { temperature: 0, topP: 1 }, seed: 0, stop: [], signal: new AbortController().signal };

/** All documents of a folder of this repository as one. */
async function documents(name: string): Promise<string> {
  const files = (await readdir(join(root, name))).filter((file) => file.endsWith(".md")).sort();
  return (await Promise.all(files.map((file) => readFile(join(root, name, file), "utf8")))).join("\n\n");
}

describe.skipIf(!existsSync(folder))("stories260K (skipped where shared/data is absent)", () => {
  let runtime: Runtime;
  let service: LocalTextService;
  beforeAll(async () => {
    runtime = await Runtime.open();
    service = await openTextService(runtime, await loadModel(join(folder, "stories260K.bin")), { id: "stories" });
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await runtime.close();
  });

  it("tells the author's story in blocks of 16, and goes on from any of them", async () => {
    const page = readFileSync(join(folder, "EXPECTED-GREEDY.md"), "utf8");
    const expected = /(?<=-t 0\.0\n)[\s\S]*?(?=\n```)/.exec(page)![0];
    const request = { ...greedy, prompt: { kind: "ids", ids: [1] }, maxTokens: 256, blockTokens: 16 } as const;
    const records = [];
    for await (const record of service.writeBlocks(request)) records.push(record);
    const text = records.map((record) => record.text).join("");
    expect(records).toHaveLength(16);
    expect(text.trimStart().slice(0, expected.length)).toBe(expected);
    const rest = [];
    for await (const record of service.writeBlocks(request, records.slice(0, 9))) rest.push(record);
    expect(rest).toEqual(records.slice(9));
  });

  it("tessera generate writes the same of an argument, of standard input and to a file", async () => {
    const path = await mkdtemp(join(tmpdir(), "tessera-generate-"));
    const options = ["--weights", "float32", "--temperature", "0", "--max-tokens", "24"];
    const run = async (args: string[], input = ""): Promise<string> => {
      const model = join(folder, "stories260K.bin");
      const all = [cliMain, "generate", model, ...options, ...args];
      const child = spawn(process.execPath, all, { cwd: root, stdio: ["pipe", "pipe", "ignore"] });
      child.stdin.end(input);
      return readAll(child.stdout);
    };
    const [argument, streamed] = await Promise.all([run(["--prompt", "Lily saw"]), run([], "Lily saw")]);
    expect(argument).not.toBe("");
    expect(streamed).toBe(argument);
    const out = join(path, "story.txt");
    expect(await run(["--prompt", "Lily saw", "--out", out, "--blocks", "10"])).toBe("");
    expect(await readFile(out, "utf8")).toBe(argument);
    await rm(path, { recursive: true });
  });

  it("reads a stream of any length in the memory of its window", async () => {
    const text = await documents("docs/decisions");
    const loaded = await loadModel(join(folder, "stories260K.bin"));
    const options = { id: "endless", cache: cachePolicies["sinks-window"] };
    await using endless = await openTextService(runtime, loaded, options);
    const source = (async function* () {
      for (let at = 0; at < 20_000; at += 997) yield text.slice(at, at + 997);
    })();
    const generation = endless.generateAfter(source, { ...greedy, model: "endless", maxTokens: 8 });
    let written = "";
    for await (const piece of generation.pieces) written += piece.text;
    expect(written).not.toBe("");
    expect(generation.numPromptTokens).toBeGreaterThan(5 * loaded.model.maxPositions);
  });

  it.each(Object.keys(readingStrategies) as (keyof typeof readingStrategies)[])(
    "reads a document of many times its context by %s",
    async (name) => {
      const document = (await documents("docs/adding")).slice(0, 6000);
      const model = readingModel(service, greedy);
      const asked = { document, task: "How is an op added?", answerTokens: 16 };
      const reading = await readingStrategies[name].read(model, asked);
      expect(reading.text).not.toBe("");
      expect(await model.countPrompt(document)).toBeGreaterThan(4 * model.contextLength);
      for (const { spans, numPromptTokens } of reading.parts) {
        expect(numPromptTokens + 16).toBeLessThanOrEqual(model.contextLength);
        for (const { start, end } of spans) expect(document.slice(start, end).trim()).not.toBe("");
      }
      expect(await readingStrategies[name].read(model, { ...asked, concurrency: 1 })).toEqual(reading);
    },
  );
});
