/** @file `tessera tune` as a user meets it: examples and a checkpoint in, files out; stopped, killed, replayed, refused. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Weights } from "../../src/engine/index.js";
import { lockRun } from "../../src/pipeline/run-lock.js";
import { runTune, type TuneConfig, verifyTuning } from "../../src/pipeline/tuning/index.js";
import { loadModel } from "../../src/presets/index.js";
import { cliMain } from "../support/cli.js";
import { colourRows, writeColourModel } from "../support/colour-model.js";

let root: string;
let base: string;
let data: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "tessera-tune-test-"));
  base = join(root, "base");
  await writeColourModel(base);
  data = join(root, "rows.jsonl");
  writeFileSync(data, colourRows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});
afterAll(() => rmSync(root, { recursive: true }));

const config = (changes: Partial<TuneConfig> = {}): TuneConfig => ({
  base,
  data,
  method: "lora",
  methodOptions: { r: 4 },
  learningRate: 2e-2,
  batchSize: 2,
  epochs: 4,
  evaluations: 2,
  sampleTokens: 8,
  threads: 2,
  out: join(root, `run-${JSON.stringify(changes).length}-${Math.abs(hash(JSON.stringify(changes)))}`),
  ...changes,
});

const hash = (text: string): number => [...text].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) | 0, 7);

describe("a run", () => {
  it("learns, and leaves an adapter, a merged model, metrics, manifest and report", async () => {
    const settings = config();
    const report = await runTune(settings);
    const { before, best } = report.summary;
    expect(best!.loss).toBeLessThan(0.7 * before!);
    expect(report.data).toMatchObject({ train: 36, heldOut: 4, empty: 0, overLong: 0 });
    expect(report.files).toEqual(["adapter/adapter_model.safetensors", "model/model.safetensors"]);
    expect(report.losses).toHaveLength(report.summary.steps);
    expect(report.samples[0]!.text).not.toBe(report.samples[0]!.before);
    const text = readFileSync(join(settings.out!, "report.md"), "utf8");
    expect(text).toContain("| method | lora, ");
    // the template that was trained with goes with the model
    expect(readFileSync(join(settings.out!, "model", "chat_template.jinja"), "utf8")).toContain("### Response:");
    const tuned = await loadModel(join(settings.out!, "model"));
    const original = await loadModel(base);
    const name = "model.layers.0.self_attn.q_proj.weight";
    expect(tuned.parameters.get(name)!.data).not.toEqual(original.parameters.get(name)!.data);
    expect(existsSync(join(settings.out!, "checkpoints"))).toBe(false);
  });

  it("that is ended early keeps the best it had, also when it was stopped before", async () => {
    const settings = config({ epochs: 8, evaluations: 16, patience: null, samples: 0 });
    const [stop, finish] = [new AbortController(), new AbortController()];
    const first = runTune(settings, { signal: stop.signal }, (event) => {
      if (event.type === "train" && event.event.type === "step" && event.event.step === 20) stop.abort();
    });
    await expect(first).rejects.toThrow("the same command goes on from it");
    finish.abort();
    const { summary, losses } = await runTune(settings, { finish: finish.signal });
    expect(summary).toMatchObject({ steps: 21, reason: "ended" });
    expect(losses).toHaveLength(21);
    expect(summary.best!.loss).toBeLessThan(summary.before!);
    expect(existsSync(join(settings.out!, "model", "model.safetensors"))).toBe(true);
  });

  it("has its folder to itself", async () => {
    const settings = config({ epochs: 1, seed: 9 });
    using _lock = await lockRun(settings.out!);
    await expect(runTune(settings)).rejects.toThrow("another process trains in");
  });

  it("comes out the same again, and says so", async () => {
    const settings = config({ epochs: 1 });
    await runTune(settings);
    expect(await verifyTuning(settings.out!)).toEqual({
      isEqual: true,
      firstDifferentStep: undefined,
      files: [
        { path: "adapter/adapter_model.safetensors", isEqual: true },
        { path: "model/model.safetensors", isEqual: true },
      ],
      changedBuilds: [],
    });
    const manifest = JSON.parse(readFileSync(join(settings.out!, "manifest.json"), "utf8")) as { losses: number[] };
    manifest.losses[2]! += 1e-6;
    writeFileSync(join(settings.out!, "manifest.json"), JSON.stringify(manifest));
    expect(await verifyTuning(settings.out!)).toMatchObject({ isEqual: false, firstDifferentStep: 3 });
  });

  it.each(["full", "lora-fa", "qlora", "prompt", "prefix", "ln", "dora"] as const)("tunes by %s", async (method) => {
    const methodOptions = ["lora-fa", "qlora", "dora"].includes(method) ? { r: 4 } : {};
    const { summary, files } = await runTune(config({ method, methodOptions, epochs: 4 }));
    expect(summary.best!.loss).toBeLessThan(summary.before!);
    expect(files.length).toBeGreaterThan(0);
  });

  it.each([
    ["lomo", "full", { learningRate: 0.3 }],
    ["lomo", "lora", { learningRate: 1, clipValue: 0.1 }],
    ["mezo", "full", { learningRate: 2e-4, epochs: 8 }],
    ["mezo", "lora", { learningRate: 1e-2, epsilon: 1e-2, epochs: 8 }],
  ] as const)("takes little memory by %s, of %s, and is repeated bit by bit", async (algorithm, method, changes) => {
    const methodOptions = method === "lora" ? { r: 4 } : {};
    const settings = config({ algorithm, method, methodOptions, samples: 0, ...changes });
    const { summary, plan } = await runTune(settings);
    expect(summary.best!.loss).toBeLessThan(summary.before!);
    expect(plan.memory.optimizer).toBe(0);
    expect(plan.shape.streamGradients).toBe(algorithm === "lomo");
    if (algorithm === "mezo") expect(plan.memory.gradients + plan.memory.residuals).toBe(0);
    expect(await verifyTuning(settings.out!)).toMatchObject({ isEqual: true, changedBuilds: [] });
  });

  it.skipIf(process.platform === "win32")(
    "with files for memory ends with the same weights, also after a stop",
    async () => {
      const changes = { method: "full", methodOptions: {}, epochs: 2, samples: 0 } as const;
      const [inMemory, paged] = [config(changes), config({ ...changes, paging: true, out: join(root, "paged") })];
      await runTune(inMemory);
      const stop = new AbortController();
      const first = runTune(paged, { signal: stop.signal }, (event) => {
        if (event.type === "train" && event.event.type === "step" && event.event.step === 3) stop.abort();
      });
      await expect(first).rejects.toThrow("the same command goes on from it");
      const { plan } = await runTune(paged);
      expect(plan.shape.paging).toBe(true);
      const weights = (out: string): Buffer => readFileSync(join(out, "model", "model.safetensors"));
      expect(weights(paged.out!).equals(weights(inMemory.out!))).toBe(true);
      await expect(runTune(config({ paging: true, algorithm: "mezo" }))).rejects.toThrow(
        'leave out paging with algorithm "mezo"',
      );
    },
  );

  it.each([
    ["full", "backprop", 2e-2],
    ["lora", "backprop", 2e-2],
    ["qlora", "backprop", 2e-2],
    ["full", "lomo", 0.3],
  ] as const)(
    "learns from a quarter of the positions, of %s by %s, bit by bit again",
    async (method, algorithm, learningRate) => {
      const methodOptions = method === "full" ? {} : { r: 4 };
      const settings = config({ method, methodOptions, algorithm, learningRate, selectedTokens: 0.25, samples: 0 });
      const { summary, plan } = await runTune(settings);
      expect(plan.selected).toBe(Math.round(plan.time / 4));
      expect(summary.best!.loss).toBeLessThan(0.9 * summary.before!);
      expect(await verifyTuning(settings.out!)).toMatchObject({ isEqual: true, changedBuilds: [] });
      expect(readFileSync(join(settings.out!, "report.md"), "utf8")).toContain(
        `of ${plan.selected} positions, drawn anew`,
      );
    },
  );

  it("of forward passes goes on from the log of a run that was stopped", async () => {
    const changes = { algorithm: "mezo", method: "full", methodOptions: {}, learningRate: 2e-4, samples: 0 } as const;
    const [whole, stopped] = [config(changes), config({ ...changes, out: join(root, "stopped-mezo") })];
    await runTune(whole);
    const stop = new AbortController();
    const first = runTune(stopped, { signal: stop.signal }, (event) => {
      if (event.type === "train" && event.event.type === "step" && event.event.step === 7) stop.abort();
    });
    await expect(first).rejects.toThrow("the same command goes on from it");
    const steps: number[] = [];
    await runTune(stopped, {}, (event) => {
      if (event.type === "train" && event.event.type === "step") steps.push(event.event.step);
    });
    expect(steps[0]).toBe(8);
    const weights = (out: string): Buffer => readFileSync(join(out, "model", "model.safetensors"));
    expect(weights(stopped.out!).equals(weights(whole.out!))).toBe(true);
  });

  it("goes from short rows to whole ones and from easy to hard, and is repeated bit by bit", async () => {
    const changes = { method: "full", methodOptions: {}, learningRate: 2e-3, length: 64, samples: 0 } as const;
    const plain = await runTune(config(changes));
    const run = (curriculum: TuneConfig["curriculum"]) => runTune(config({ ...changes, curriculum }));
    const short = await run({ start: 16, share: 0.6 });
    const easy = await run({ difficulty: "loss" });
    const both = await run({ start: 32, difficulty: "length" });
    for (const { losses, summary } of [short, easy, both]) {
      expect(losses).toHaveLength(plain.losses.length);
      expect(losses[0]).not.toBe(plain.losses[0]);
      expect(summary.best!.loss).toBeLessThan(summary.before!);
    }
    expect(await verifyTuning(both.out)).toMatchObject({ isEqual: true, changedBuilds: [] });
    await expect(run({ start: 24 })).rejects.toThrow("they can to 32, 16, 8");
    await expect(runTune(config({ method: "prompt", methodOptions: {}, curriculum: { start: 16 } }))).rejects.toThrow(
      "virtual tokens cannot be cut",
    );
  });

  it("keeps frozen weights in 4 bits, writes the adapter alone, and merges it on request", async () => {
    const frozen = { method: "dora", frozen: "nf4", merge: true, epochs: 1 } as const;
    const [alone, merged] = [await runTune(config({ method: "qlora", epochs: 1 })), await runTune(config(frozen))];
    expect(alone.plan.memory.weights).toBeLessThan(0.6 * 4 * alone.numParameters);
    expect(alone.files).toEqual(["adapter/adapter_model.safetensors"]);
    expect(merged.files).toEqual(["adapter/adapter_model.safetensors", "model/model.safetensors"]);
    const { parameters } = await loadModel(join(merged.out, "model"));
    expect(parameters.get("model.layers.0.mlp.up_proj.weight")!.dtype).toBe("float32");
  });

  it("trains under the rounding of int4, writes what was not rounded, and is repeated bit by bit", async () => {
    const settings = config({ quantize: "int4", method: "full", methodOptions: {}, learningRate: 5e-3 });
    const { summary, quantize, out } = await runTune(settings);
    expect(quantize).toBe("int4");
    expect(summary.best!.loss).toBeLessThan(0.8 * summary.before!);
    expect(readFileSync(join(out, "report.md"), "utf8")).toContain("serve with --weights int4");
    const { model, parameters } = await loadModel(join(out, "model"));
    const name = "model.layers.0.mlp.up_proj.weight";
    const rounded = new Weights(model, parameters, "int4").unpacked().get(name)!;
    expect(rounded.data).not.toEqual(parameters.get(name)!.data);
    expect(await verifyTuning(out)).toMatchObject({ isEqual: true });
  });

  it("checks rows against a schema of one's own, whose templates say what is learned", async () => {
    const rowSchema = {
      schema: {
        type: "object",
        properties: { instruction: { type: "string" }, output: { type: "string" } },
        required: ["instruction", "output"],
      },
      prompt: "Answer as JSON. {{ instruction }}",
      completion: "{{ {'answer': output} | tojson }}",
    };
    const { summary, samples } = await runTune(config({ rowSchema, sampleTokens: 4 }));
    expect(summary.best!.loss).toBeLessThan(summary.before!);
    expect(samples[0]!.prompt).toContain("Answer as JSON.");
    expect(samples[0]!.expected).toContain("{");
  });
});

describe("a run that stops", () => {
  const command = async (
    args: readonly string[],
    onLine: (text: string, kill: (signal: NodeJS.Signals) => void) => void,
  ) => {
    const child = spawn(process.execPath, [cliMain, ...args]);
    let output = "";
    let isSignalled = false;
    child.stderr!.on("data", (text: Buffer) => {
      output += text.toString();
      onLine(output, (signal) => {
        if (!isSignalled) child.kill(signal);
        isSignalled = true;
      });
    });
    const [code] = (await once(child, "close")) as [number | null];
    return { code, output };
  };
  const flags = (out: string): string[] => [
    ...["tune", "--base", base, "--data", data, "--option", "r=4", "--learning-rate", "0.02", "--batch-size", "2"],
    ...["--epochs", "3", "--evaluations", "3", "--samples", "0", "--threads", "2", "--out", out],
  ];
  const whole = (): string => join(root, "whole");
  beforeAll(async () => {
    await command(flags(whole()), () => {});
  }, 60_000);

  it.skipIf(process.platform === "win32").each(["SIGKILL", "SIGINT"] as const)(
    "by %s goes on with the same bits",
    async (signal) => {
      const stopped = join(root, `stopped-${signal}`);
      const first = await command([...flags(stopped), "--checkpoint-seconds", "0"], (output, kill) => {
        if (/step [1-9]\d*: loss/.test(output)) kill(signal);
      });
      if (signal === "SIGINT") expect(first.output).toContain("the same command goes on from it");
      expect(existsSync(join(stopped, "manifest.json"))).toBe(false);
      const second = await command(flags(stopped), () => {});
      expect(second.code, second.output).toBe(0);
      expect(second.output).toContain("from the last checkpoint of this run");
      const files = (folder: string): unknown =>
        (JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as { files: unknown }).files;
      expect(files(stopped)).toEqual(files(whole()));
    },
    120_000,
  );
});

describe("what cannot be done", () => {
  it("names the line and column of broken data", async () => {
    const broken = join(root, "broken.jsonl");
    writeFileSync(broken, `${JSON.stringify(colourRows[0])}\n{"instruction": "x", "output": }\n`);
    await expect(runTune(config({ data: broken }))).rejects.toThrow(/broken\.jsonl.*2.*32|broken\.jsonl:2/);
  });

  it("says what would fit where memory does not", async () => {
    const request = runTune(config({ length: 128 }), { memoryBytes: 150 * 2 ** 20 });
    await expect(request).rejects.toThrow(/needs at least \d+ MB\. What would fit: .*--memory \d+MB/);
  });

  it("refuses unknown keys, other runs' folders and rows longer than the model", async () => {
    await expect(runTune({ ...config(), learningrate: 1 } as TuneConfig)).rejects.toThrow("learningrate");
    const settings = config({ epochs: 1, seed: 5 });
    await runTune(settings);
    await expect(runTune({ ...settings, seed: 6 })).rejects.toThrow("holds a run with other data, base or settings");
    await expect(runTune(config({ length: 4096 }))).rejects.toThrow("the model has 128");
    const virtual = config({ method: "prompt", methodOptions: {}, selectedTokens: 0.5 });
    await expect(runTune(virtual)).rejects.toThrow('"prompt" learns at its virtual tokens');
  });

  it("prints a schema that editors complete, and a table of what methods take", async () => {
    const run = (...args: string[]) => promisify(execFile)(process.execPath, [cliMain, ...args]);
    const { properties } = JSON.parse((await run("tune", "--print-schema")).stdout) as {
      properties: Record<string, unknown>;
    };
    expect(Object.keys(properties)).toContain("methodOptions");
    const { stdout } = await run("plan", base, "--length", "64", "--length", "256", "--gflops", "100", "--json");
    const { cells } = JSON.parse(stdout) as {
      cells: { method: string; time: number; fits: boolean; memory?: { total: number } }[];
    };
    const total = (method: string): number =>
      cells.find((cell) => cell.method === method && cell.time === 64)!.memory!.total;
    expect(total("lora")).toBeLessThan(total("full"));
    expect(cells.find(({ time }) => time === 256)).toMatchObject({
      fits: false,
      reason: "the model has 128 positions",
    });
  });
});
