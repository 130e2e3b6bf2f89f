/** @file Cross-encoders against transformers (tools/golden/cross_encoder.py), and what is none. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CheckpointError, ConfigError } from "../base/errors.js";
import { Runtime } from "../runtime/index.js";
import { loadCrossEncoder } from "./cross-encoder.js";

const golden = fileURLToPath(new URL("../../test/golden/cross-encoder", import.meta.url));

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

it("scores pairs as transformers does, alone and in batches, cut ones too", async () => {
  const expected: { pair: [string, string]; score: number }[] = JSON.parse(
    await readFile(join(golden, "expected.json"), "utf8"),
  );
  expect(new Set(expected.map(({ score }) => score.toFixed(2))).size).toBe(expected.length);
  const reranker = await loadCrossEncoder(runtime, golden, { batchSize: 2, model: "tiny" });
  expect(reranker.model).toBe("tiny");
  for (const { pair, score } of expected) {
    const others = ["x", pair[1], "a b c d e f g h i j k"];
    const scores = await reranker.score(pair[0], others);
    expect(scores).toHaveLength(3);
    // float32 sums in another order
    expect(scores[1]!).toBeCloseTo(score, 4);
  }
  expect(await reranker.score("a", [])).toEqual([]);
  await expect(reranker.score("a", ["b"], AbortSignal.abort())).rejects.toThrow(/abort/);
});

it("says what is no cross-encoder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tessera-cross-"));
  try {
    await cp(golden, folder, { recursive: true });
    const config = JSON.parse(await readFile(join(golden, "config.json"), "utf8"));
    const write = (changed: object) =>
      writeFile(join(folder, "config.json"), JSON.stringify({ ...config, ...changed }));
    await write({ id2label: { 0: "a", 1: "b", 2: "c" } });
    await expect(loadCrossEncoder(runtime, folder)).rejects.toThrow(ConfigError);
    await write({ id2label: { 0: "a", 1: "b" } });
    await expect(loadCrossEncoder(runtime, folder)).rejects.toThrow(CheckpointError);
  } finally {
    await rm(folder, { recursive: true });
  }
});
