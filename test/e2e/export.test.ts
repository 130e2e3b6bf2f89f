/** @file `tessera export` and `tessera inspect` on real weights: each file, loaded again, tells the same story. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Generator, loadModel, Runtime, Weights } from "../../src/index.js";
import { cliMain } from "../support/cli.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const base = join(root, "../shared/data/llm-stories260k/stories260K.bin");

async function tessera(...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [cliMain, ...args], { cwd: root })).stdout;
}

/** Greedy text after the start token. */
async function story(path: string, maxTokens: number): Promise<string> {
  const runtime = await Runtime.open();
  const { model, parameters, tokenizer } = await loadModel(path);
  const generator = await Generator.create(runtime, model, new Weights(model, parameters, "float32"));
  const ids: number[] = [];
  for await (const id of generator.generate(Int32Array.of(1), { temperature: 0, maxTokens })) ids.push(id);
  await runtime.close();
  return tokenizer.decode(ids);
}

describe.skipIf(!existsSync(base))("stories260K (skipped where shared/data is absent)", () => {
  let folder: string;
  let expected: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tessera-export-cli-"));
    expected = await story(base, 120);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ["safetensors", "model"],
    ["gguf", "model.gguf", "--dtype", "F32"],
  ])("goes to %s and back with every letter", async (to, name, ...options) => {
    const path = join(folder, name);
    const report = JSON.parse(await tessera("export", base, "--to", to, "--out", path, "--json", ...options)) as {
      maxDifference: number;
      sameTop: number;
    };
    expect(report.maxDifference).toBeLessThan(1e-4);
    expect(report.sameTop).toBe(1);
    expect(await story(path, 120)).toBe(expected);
  });

  it("fails over a limit that is asked for, and says by how much", async () => {
    const args = [
      "export",
      base,
      "--to",
      "gguf",
      "--dtype",
      "Q4_0",
      "--out",
      join(folder, "q4.gguf"),
      "--limit",
      "0.01",
    ];
    await expect(tessera(...args)).rejects.toThrow(
      /logits differ by .*more than the limit of 1\.00e-2; the first tensor that differs is/,
    );
  });

  it("is described by its header", async () => {
    const text = await tessera("inspect", base, "--length", "128");
    expect(text).toContain("llama, 5 layers of width 64");
    expect(text).toContain("47 float32");
  });
});
