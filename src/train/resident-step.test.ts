import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyBatch, tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { whyNoWebGpu } from "../../test/support/webgpu.js";
import { type HostTensor, zeros } from "../base/host-tensor.js";
import { createAdapter, tuningOf } from "../peft/index.js";
import { describeTraining, TrainPlan } from "../plan/index.js";
import { Runtime } from "../runtime/index.js";
import { clipScale } from "./algorithms/clip.js";
import { GradientNorm } from "./gradient-norm.js";
import { adamw, lion, Optimizer, sgd } from "./optim/index.js";
import { ResidentStep } from "./resident-step.js";

const base = tinyModel();

const full = () => ({ model: base, parameters: tinyParameters(base), isTrainable: () => true });

function lora() {
  const tuning = tuningOf(base, createAdapter(base, { method: "lora", config: { r: 2, lora_alpha: 4 } }));
  const own = tinyParameters(base);
  return { ...tuning, parameters: new Map([...own, ...tuning.start(own)]) };
}

const defaults = {
  batchSize: 2,
  time: 8,
  packed: true,
  attentionTile: 4,
  optimizer: adamw(),
  weightDecay: 0.1,
  clipNorm: 1 as number | null,
  save: "all",
  lossRows: 16,
  lossTile: { rows: 16, vocabulary: base.vocabSize },
  streamGradients: false,
} as const;
const STEPS = 10;
const learningRate = 1e-2;

/** Single precision, added up in another order, ten steps on. */
const CLOSE = 1e-4;

const largest = (values: Iterable<number>): number => [...values].reduce((max, v) => Math.max(max, Math.abs(v)), 0);

function expectClose(actual: HostTensor, expected: HostTensor, name: string): void {
  const [a, b] = [actual.data as Float32Array, expected.data as Float32Array];
  const off = largest(a.map((value, i) => value - b[i]!));
  // a NaN is not close
  expect(off <= CLOSE * largest(b), `${name} is off by ${off}`).toBe(true);
}

describe("a step on a device", () => {
  it("needs one that has memory of its own", async () => {
    await using cpu = await Runtime.open({ numThreads: 1 });
    const { model, parameters, isTrainable } = full();
    await expect(ResidentStep.create(cpu, model, parameters, { ...defaults, isTrainable })).rejects.toThrow(
      'the "native" backend has none with memory of its own; open "webgpu"',
    );
  });
});

const missing = whyNoWebGpu();

describe.skipIf(missing !== undefined)(`a step on WebGPU (${missing ?? "there is an adapter"})`, () => {
  let cpu: Runtime;
  let gpu: Runtime;
  beforeAll(async () => {
    cpu = await Runtime.open({ numThreads: 1 });
    gpu = await Runtime.open({ backend: "webgpu", numThreads: 1 });
  });
  afterAll(async () => {
    await gpu.close();
    await cpu.close();
  });

  it.each([
    ["all parameters by AdamW", full, {}],
    ["LoRA by AdamW, layers computed again", lora, { save: "inputs" }],
    ["all parameters by Lion, unclipped", full, { optimizer: lion(), clipNorm: null }],
    ["all parameters by SGD with momentum, unclipped", full, { optimizer: sgd({ momentum: 0.9 }), clipNorm: null }],
  ] as const)(
    "%s: ten steps give the losses and weights of the CPU",
    { timeout: 240_000 },
    async (_, source, given) => {
      const { model, parameters, isTrainable } = source();
      const options = { ...defaults, ...given, isTrainable };
      const step = await ResidentStep.create(gpu, model, parameters, options);
      const trained = [...parameters.keys()].filter(isTrainable);
      const stateBytes = 4 * options.optimizer.states.length;
      const count = (names: readonly string[]): number =>
        names.reduce((n, name) => n + parameters.get(name)!.data.length, 0);
      expect(step.bytes).toBe(4 * count([...parameters.keys()]) + stateBytes * count(trained));

      const plan = await TrainPlan.create(cpu, describeTraining(model, options), parameters);
      const optimizer = await Optimizer.create(cpu, options.optimizer, options);
      const norm = await GradientNorm.create(cpu);
      for (let i = 0; i < STEPS; i++) {
        const batch = tinyBatch(options.batchSize, options.time, model.vocabSize, i);
        const actual = await step.run(batch, { step: i, learningRate });
        const loss = await plan.run(batch, { accumulate: false });
        const gradientNorm = await norm.of(plan.gradients.values());
        optimizer.begin({ step: i, learningRate, gradientScale: clipScale(gradientNorm, options.clipNorm) });
        for (const [name, gradient] of plan.gradients) await optimizer.update(name, parameters.get(name)!, gradient);
        expect(Math.abs(actual.loss / loss - 1)).toBeLessThan(CLOSE);
        expect(Math.abs(actual.gradientNorm / gradientNorm - 1)).toBeLessThan(CLOSE);
      }
      const expected = new Map([...[...parameters].filter(([name]) => isTrainable(name)), ...optimizer.states()]);
      expect(expected.size).toBe(trained.length * (1 + options.optimizer.states.length));
      for (const [name, tensor] of expected) {
        const actual = zeros(tensor.dtype, tensor.shape);
        await step.read(name, actual);
        expectClose(actual, tensor, name);
      }
      step.close();
      plan.close();
      optimizer.close();
      norm.close();
    },
  );
});
