/** @file Recipes of tuning from end to end, on tiny data. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runTune, type TuneConfig, tuneSettings, verifyTuning } from "../../src/pipeline/tuning/index.js";
import { colourRows, writeColourModel } from "../support/colour-model.js";

let root: string;
let base: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "tessera-recipes-test-"));
  base = join(root, "base");
  await writeColourModel(base);
});
afterAll(() => rmSync(root, { recursive: true }));

function write(name: string, rows: readonly object[]): string {
  const path = join(root, name);
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

/** Each conversation with a worse answer beside the best one. */
const trees = colourRows.flatMap(({ instruction, output }, i) => {
  const message = (id: string, role: string, text: string, rest: object = {}) => ({
    ...{
      message_id: `${i}${id}`,
      parent_id: id === "a" ? null : `${i}a`,
      message_tree_id: `${i}a`,
      role,
      text,
      rank: null,
    },
    ...rest,
  });
  return [
    message("a", "prompter", instruction),
    message("b", "assistant", "No.", { rank: 1 }),
    message("c", "assistant", output, { rank: 0 }),
  ];
});

describe("guanaco", () => {
  it("tunes in 4 bits on the best answers of OpenAssistant's trees, with the paper's values", async () => {
    const config: TuneConfig = {
      ...{ recipe: "guanaco", base, data: write("oasst.jsonl", trees), out: join(root, "guanaco") },
      // for a model of 128 positions and a test of seconds
      ...{
        length: 64,
        steps: 24,
        batchSize: 4,
        learningRate: 2e-2,
        methodOptions: { r: 8 },
        evaluations: 2,
        threads: 2,
      },
    };
    expect(tuneSettings(config)).toMatchObject({
      ...{ method: "lora", frozen: "nf4", schedule: "constant", warmup: 0, clipNorm: 0.3, beta2: 0.999 },
      ...{ order: "length-grouped", packing: false, lossOn: "all", steps: 24, batchSize: 4 },
      methodOptions: { r: 8, lora_alpha: 16, lora_dropout: 0.1 },
    });
    const { base: _, data: __, ...paper } = tuneSettings({ recipe: "guanaco", base, data: "x" });
    expect(paper).toMatchObject({ steps: 1875, batchSize: 16, learningRate: 2e-4, length: 512 });
    const report = await runTune(config);
    expect(report.data.files[0]).toMatchObject({ format: "oasst", numRows: 120 });
    expect(report.data.train + report.data.heldOut).toBe(40);
    // headings and questions are learned too
    expect(report.data.targetTokens).toBeGreaterThan(15 * report.data.train);
    expect(report.summary.best!.loss).toBeLessThan(0.7 * report.summary.before!);
    expect(report.scores!.after["token-f1"]).toBeGreaterThan(report.scores!.before!["token-f1"]!);
    expect(report.files).toEqual(["adapter/adapter_model.safetensors"]);
    expect(report.samples).toHaveLength(1);
    expect(await verifyTuning(config.out!)).toMatchObject({ isEqual: true });
  });
});

describe("demonstrations", () => {
  it("stand before what is learned, and show what the base can do with them", async () => {
    const data = write("shown.jsonl", colourRows);
    const common = { base, data, threads: 2, methodOptions: { r: 4 }, learningRate: 2e-2, steps: 12, samples: 0 };
    const plain = await runTune({
      ...{ ...common, out: join(root, "plain"), metrics: ["token-f1"], fewShot: { count: 1, select: "mmr" } },
    });
    expect(plain.scores!.fewShot).toEqual({ "token-f1": expect.any(Number) });
    expect(readFileSync(join(root, "plain", "report.md"), "utf8")).toMatch(/before \(with demonstrations [\d.]+ %\),/);
    const shown = await runTune({ ...common, out: join(root, "shown"), demonstrations: { count: 1 } });
    expect(shown.data.targetTokens).toBe(plain.data.targetTokens);
    expect(shown.data.time * shown.data.rows).toBeGreaterThan(1.5 * plain.data.time * plain.data.rows);
    expect(shown.summary.best!.loss).toBeLessThan(shown.summary.before!);
    await expect(runTune({ ...common, fewShot: { count: 1 } })).rejects.toThrow("fewShot needs metrics");
  });
});

describe("small-data", () => {
  it("scores answers before and after, and says from which step on examples are learned by heart", async () => {
    const colours = ["red", "green", "blue", "white", "black"];
    // answers that follow from nothing
    const rows = colourRows.map(({ instruction }, i) => ({
      instruction,
      output: `The ${colours[(i * i * 7 + ((i * 3) >> 2)) % 5]} sea is ${colours[((i * i * i) >> 3) % 5]}.`,
    }));
    const report = await runTune({
      ...{ recipe: "small-data", base, data: write("chance.jsonl", rows), out: join(root, "small"), threads: 2 },
      ...{ method: "full", learningRate: 5e-3, schedule: "constant", epochs: 24, evaluations: 12 },
      ...{ patience: 3, batchSize: 2, samples: 0 },
    });
    expect(Object.keys(report.scores!.after)).toEqual(["exact-match", "token-f1"]);
    expect(report.scores!.after["token-f1"]! - report.scores!.before!["token-f1"]!).toBeGreaterThan(0.2);
    expect(report.summary.reason).toBe("early stop");
    const { step, last, lowest, trainingNow, trainingThen } = report.overfitting!;
    expect(step).toBe(report.summary.best!.step);
    expect(last).toBeGreaterThan(lowest);
    expect(trainingNow).toBeLessThan(trainingThen);
    expect(readFileSync(join(root, "small", "report.md"), "utf8")).toContain(
      `| overfitting | from step ${step} on: held-out`,
    );
  });

  it("gives way to what a user says, and refuses what no optimiser has", () => {
    const given = { recipe: "small-data", base, data: "x", heldOut: 0.3, methodOptions: { r: 4 } } as const;
    expect(tuneSettings(given)).toMatchObject({ heldOut: 0.3, methodOptions: { r: 4, lora_alpha: 32 }, patience: 4 });
    expect(tuneSettings({ ...given, method: "full", methodOptions: {} }).methodOptions).toEqual({});
    const bySchema = tuneSettings({ ...given, outputSchema: { type: "object" } });
    expect(bySchema.metrics).toEqual(["valid-json", "object-match", "field-accuracy"]);
    expect(tuneSettings({ recipe: "guanaco", base, data: "x", epochs: 2 }).steps).toBeUndefined();
    const wrong = { base, data: write("rows.jsonl", colourRows), optimizer: "lion", beta2: 0.9 } as const;
    return expect(runTune({ ...wrong, out: join(root, "no") })).rejects.toThrow('not of "lion"');
  });
});
