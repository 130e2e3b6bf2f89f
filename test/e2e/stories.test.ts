/** @file Real weights: the author's greedy text, and tuning that lowers the loss of other text. */

import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Generator, loadModel, Runtime, runUp, Weights } from "../../src/index.js";

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const base = join(data, "llm-stories260k", "stories260K.bin");

describe.skipIf(!existsSync(base))("stories260K (skipped where shared/data is absent)", () => {
  it("tells the author's story, letter for letter", async () => {
    const page = readFileSync(join(data, "llm-stories260k", "EXPECTED-GREEDY.md"), "utf8");
    const expected = /(?<=-t 0\.0\n)[\s\S]*?(?=\n```)/.exec(page)![0];
    const runtime = await Runtime.open();
    const { model, parameters, tokenizer } = await loadModel(base);
    const generator = await Generator.create(runtime, model, new Weights(model, parameters, "float32"));
    const decoder = tokenizer.streamDecoder();
    let text = "";
    // as many as run.c prints when nothing else is said
    const tokens = generator.generate(Int32Array.of(1), { temperature: 0, maxTokens: 256 });
    for await (const id of tokens) text += decoder.push(id);
    text += decoder.flush();
    expect(expected.length).toBeGreaterThan(500);
    expect(text.trimStart().slice(0, expected.length)).toBe(expected);
    await runtime.close();
  });

  it.each(["full", "lora"] as const)("learns Shakespeare with --method %s", async (method) => {
    const workspace = await mkdtemp(join(tmpdir(), "tessera-stories-"));
    const plays = readFileSync(join(data, "data-tinyshakespeare", "input.txt"), "utf8");
    const folder = join(workspace, "input.txt");
    // the rest would be cut, indexed and measured on, and teach no more in five seconds
    await writeFile(folder, plays.slice(0, 200_000));
    const result = await runUp({ folder, base, method, seconds: 5, workspace });
    const { summary } = result.report.tuning;
    // 4.2 to 4.3 nats per token before, by where the text is cut
    expect(summary.before).toBeGreaterThan(4);
    expect(summary.best.loss).toBeLessThan(summary.before - 0.3);
    await result.close();
    await rm(workspace, { recursive: true });
  });
});
