import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import type { HostTensor } from "../base/host-tensor.js";
import { parseSafetensors } from "../checkpoint/index.js";
import { gpt2 } from "../models/gpt2.js";
import type { LanguageModel } from "../nn/index.js";
import { type AdapterOptions, createAdapter, type MethodName, methods, tuningOf } from "../peft/index.js";
import { Runtime } from "../runtime/index.js";
import { adafactor, adamw, lion, sgd } from "../train/index.js";
import { type TrainingStepOptions, writeTrainingStep } from "./training-step.js";
import { checkTrainingStep } from "./training-step-check.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  folder = mkdtempSync(join(tmpdir(), "training-step-"));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

const defaults: TrainingStepOptions = {
  batchSize: 2,
  time: 8,
  packed: false,
  attentionTile: 4,
  isTrainable: () => true,
  optimizer: adamw(),
  weightDecay: 0.1,
  clipNorm: 1,
  save: "all",
  lossRows: 16,
};

const models = {
  llama: tinyModel(),
  gpt2: gpt2({
    vocab_size: 11,
    n_embd: 16,
    n_layer: 2,
    n_head: 4,
    n_positions: 8,
    initializer_range: 0.3,
  }),
};

function tuned(base: LanguageModel, options: AdapterOptions) {
  const own = tinyParameters(base);
  const tuning = tuningOf(base, createAdapter(base, options));
  return { ...tuning, parameters: new Map([...own, ...tuning.start(own)]) };
}

const withLora = (base: LanguageModel) => tuned(base, { method: "lora", config: { r: 2, lora_alpha: 4 } });

async function tenSteps(
  name: string,
  source: { readonly model: LanguageModel; readonly parameters: ReadonlyMap<string, HostTensor> },
  given: Partial<TrainingStepOptions> = {},
) {
  const options = { ...defaults, ...given };
  const path = join(folder, `${name}.onnx`);
  const { step, files } = await writeTrainingStep(path, source.model, source.parameters, options);
  const check = { steps: 10, learningRate: 1e-2, limit: Number.POSITIVE_INFINITY };
  return { step, files, ...(await checkTrainingStep(runtime, path, step, source, options, check)) };
}

/** Bit-close after ten steps: sums in another order, no more. */
const CLOSE = 1e-6;

describe("a training step as a file", () => {
  const full = (model: LanguageModel) => ({ model, parameters: tinyParameters(model), isTrainable: () => true });

  it.each(Object.keys(models) as (keyof typeof models)[])(
    "%s: ten steps give the weights of plan and optimiser, all parameters and LoRA",
    async (name) => {
      for (const source of [full(models[name]), withLora(models[name])]) {
        const result = await tenSteps(name, source, { isTrainable: source.isTrainable });
        expect(result.maxDifference, result.worst).toBeLessThan(CLOSE);
        // softmax does not see the biases of GPT-2's keys, no target the last position
        const isGpt2 = source.isTrainable("transformer.wte.weight") && name === "gpt2";
        expect(result.numLeftOut).toBe(isGpt2 ? 2 * 16 + 16 : 0);
        expect(new Set(result.losses).size).toBe(10);
      }
    },
  );

  it.each(Object.keys(methods) as MethodName[])("writes what %s trains", async (method) => {
    const config = method === "select" ? { pattern: "q_proj" } : {};
    // Llama has no biases
    const source = tuned(method === "bitfit" ? models.gpt2 : models.llama, { method, config });
    const path = join(folder, "method.onnx");
    const options = { ...defaults, isTrainable: source.isTrainable };
    const { step } = await writeTrainingStep(path, source.model, source.parameters, options);
    const { maxDifference, worst } = await checkTrainingStep(runtime, path, step, source, options);
    expect(maxDifference, worst).toBeLessThan(CLOSE);
  });

  it("keeps packed documents apart and reads seeds where there is dropout", async () => {
    const packed = await tenSteps("packed", full(models.llama), { packed: true });
    expect(packed.maxDifference).toBeLessThan(CLOSE);
    expect(Object.keys(packed.step.inputs)).toContain("segments");
    expect(packed.step.inputs.seeds).toBeUndefined();
    const { step } = await tenSteps("seeds", full(models.gpt2));
    expect(step.inputs.seeds).toEqual({ dtype: "int32", shape: [models.gpt2.layers.length] });
  });

  it.each([
    ["selective", 5],
    ["inputs", 16],
  ] as const)("keeping %s for the backward pass and losses by tiles of %i changes nothing", async (save, lossRows) => {
    const { maxDifference } = await tenSteps("save", full(models.llama), { save, lossRows });
    expect(maxDifference).toBeLessThan(CLOSE);
  });

  it.each([lion(), sgd(), sgd({ momentum: 0.9 })])(
    "has the optimiser's own states: $name with $states",
    async (optimizer) => {
      const { maxDifference, step } = await tenSteps("optimizer", full(models.llama), { optimizer, clipNorm: null });
      expect(maxDifference).toBeLessThan(CLOSE);
      expect(step.zeros).toHaveLength(optimizer.states.length * tinyParameters(models.llama).size);
    },
  );

  it("holds frozen weights once and names what feeds what", async () => {
    const source = withLora(models.llama);
    const { step, files } = await tenSteps("frozen", source, { isTrainable: source.isTrainable, mostInside: 0 });
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual([
      "frozen.onnx",
      "frozen.onnx.data",
      "frozen.safetensors",
      "frozen.json",
    ]);
    expect(JSON.parse(readFileSync(join(folder, "frozen.json"), "utf8"))).toEqual(step);
    const start = parseSafetensors(readFileSync(join(folder, "frozen.safetensors"))).tensors;
    const names = [...source.parameters.keys()].filter(source.isTrainable).sort();
    expect([...start.keys()].sort()).toEqual(names);
    const states = names.flatMap((name) => [`moment1.${name}`, `moment2.${name}`]);
    expect([...step.zeros].sort()).toEqual(states.sort());
    expect(Object.entries(step.feeds).every(([output, input]) => output === `next.${input}`)).toBe(true);
    const frozen = [...source.parameters.keys()].filter((name) => !source.isTrainable(name));
    expect(frozen.filter((name) => name in step.inputs)).toEqual([]);
  });

  it("refuses what it cannot write or must not be used", async () => {
    const { model, parameters } = full(models.llama);
    const write = (path: string, given: Partial<TrainingStepOptions>) =>
      writeTrainingStep(join(folder, path), model, parameters, { ...defaults, ...given });
    await expect(write("a.onnx", { optimizer: adafactor() })).rejects.toThrow(/"adafactor".*take an elementwise rule/);
    await expect(write("a.onnx", { isTrainable: () => false })).rejects.toThrow(
      "no parameter of the model is trainable",
    );
    await expect(write("a.onnx", { lossRows: 0 })).rejects.toThrow("lossRows must be a whole number from 1 on, got 0");
    await expect(write("a.onnx", { weightDecay: Number.NaN })).rejects.toThrow("weightDecay must be 0 or more");
    await expect(write("a.onnx", { clipNorm: 0 })).rejects.toThrow("clipNorm must be above 0");
    await expect(write("a.bin", {})).rejects.toThrow("<name>.onnx");
    const { step } = await write("other.onnx", {});
    const compared = checkTrainingStep(
      runtime,
      join(folder, "other.onnx"),
      step,
      { model, parameters },
      {
        ...defaults,
        weightDecay: 0.5,
      },
    );
    await expect(compared).rejects.toThrow(/after 3 steps .* differs .* Do not use this file/);
  });
});
