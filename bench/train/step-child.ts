/** @file One process of the training benchmarks: a Llama-shaped model, a few optimiser steps, times and peak memory. */

import type { HostTensor } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import { type FrozenWeights, frozenWeights, packFrozen } from "../../src/compress/index.js";
import { llama } from "../../src/models/index.js";
import { initialize, type LanguageModel, type Parameters, parameterSpecs } from "../../src/nn/index.js";
import { adapterSpecs, attach, createAdapter } from "../../src/peft/index.js";
import { describeTraining, estimateMemory, type MicroBatch, TrainPlan } from "../../src/plan/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { adamw, Optimizer, ResidentStep } from "../../src/train/index.js";
import { peakBytes } from "../peak.js";
import type { StepResult, StepShape } from "./step-shape.js";

const baselineBytes = peakBytes();
const shape = JSON.parse(process.argv[2]!) as StepShape;
function buildModel(): { base: LanguageModel; model: LanguageModel } {
  const base = llama({
    vocab_size: shape.vocab,
    hidden_size: shape.hidden,
    intermediate_size: shape.ffn,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads ?? shape.heads,
    tie_word_embeddings: true,
    rms_norm_eps: 1e-5,
  });
  if (shape.method === "full") return { base, model: base };
  return { base, model: attach(base, createAdapter(base, { config: { r: 8, lora_alpha: 16 } })) };
}

function randomBatch(): MicroBatch {
  const rng = new Rng(1);
  const count = shape.batch * shape.time;
  const draw = (): Int32Array => Int32Array.from({ length: count }, () => rng.below(shape.vocab));
  return {
    ids: draw(),
    labels: draw(),
    weights: new Float32Array(count).fill(1 / count),
    positions: Int32Array.from({ length: count }, (_, i) => i % shape.time),
  };
}

const { base, model } = buildModel();
const trained = new Set((model === base ? parameterSpecs(base) : adapterSpecs(base, model)).map(({ name }) => name));
const isTrainable = (name: string): boolean => trained.has(name);
const frozen: FrozenWeights = shape.method === "qlora" ? frozenWeights(base, isTrainable, "nf4") : new Map();

/** Initial values, each packed before the next is drawn. */
function startingValues(): Parameters {
  function* drawn(): Generator<[string, HostTensor]> {
    for (const spec of parameterSpecs(model)) yield* initialize([spec], 0);
  }
  return packFrozen(drawn(), frozen);
}

const description = describeTraining(model, {
  batchSize: shape.batch,
  time: shape.time,
  packed: false,
  attentionTile: shape.attentionTile ?? 256,
  save: shape.save,
  lossTile: { rows: shape.lossRows ?? 512, vocabulary: shape.vocab },
  isTrainable,
  frozen,
  streamGradients: shape.stream,
  ...(shape.precision && { precision: shape.precision }),
});
const rule = adamw();
const predicted = estimateMemory(description);
const [weightDecay, learningRate] = [0.01, 1e-3];
const parameters = startingValues();
const batch = randomBatch();

type Step = (step: number) => Promise<number>;

async function onCpu(): Promise<Step> {
  const runtime = await Runtime.open({ numThreads: shape.threads });
  const plan = await TrainPlan.create(runtime, description, parameters);
  const optimizer = await Optimizer.create(runtime, rule, { weightDecay });
  const update = async (gradients: TrainPlan["gradients"]): Promise<void> => {
    for (const [name, gradient] of gradients) await optimizer.update(name, parameters.get(name)!, gradient);
  };
  return async (step) => {
    optimizer.begin({ step, learningRate, gradientScale: 1 });
    if (shape.stream) return plan.run(batch, { accumulate: false, sink: update });
    const loss = await plan.run(batch, { accumulate: false });
    await update(plan.gradients);
    return loss;
  };
}

async function onDevice(backend: "webgpu"): Promise<Step> {
  const runtime = await Runtime.open({ backend, numThreads: shape.threads });
  const { options } = description;
  const resident = await ResidentStep.create(runtime, model, parameters, {
    ...options,
    lossRows: options.lossTile.rows,
    optimizer: rule,
    weightDecay,
    clipNorm: null,
  });
  return async (step) => (await resident.run(batch, { step, learningRate })).loss;
}

const takeStep = await (shape.device ? onDevice(shape.device) : onCpu());
const stepMs: number[] = [];
let loss = Number.NaN;
let warm: NodeJS.CpuUsage | undefined;
for (let step = 0; step < shape.steps; step++) {
  const start = performance.now();
  loss = await takeStep(step);
  stepMs.push(performance.now() - start);
  warm ??= process.cpuUsage();
}
const used = process.cpuUsage(warm);
const cpuMs = (used.user + used.system) / 1000 / Math.max(1, shape.steps - 1);
const result: StepResult = { stepMs, cpuMs, peakBytes: peakBytes(), baselineBytes, loss, predicted };
console.log(JSON.stringify(result));
process.exit(0);
