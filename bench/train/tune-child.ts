/** @file One process of the tune benchmark: a checkpoint, real rows in a fixed order, some steps; losses, times, peak memory. */

import { readFileSync } from "node:fs";
import { createAdapter, type MethodName, tuningOf } from "../../src/peft/index.js";
import { describeTraining, estimateMemory, type MicroBatch, TrainPlan, trainingFlops } from "../../src/plan/index.js";
import { loadModel } from "../../src/presets/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { adamw, Optimizer } from "../../src/train/index.js";
import { peakBytes } from "../peak.js";
import type { TuneStep } from "./tune-step.js";

const step = JSON.parse(process.argv[2]!) as TuneStep;
const baselineBytes = peakBytes();
const { model: base, parameters: baseParameters } = await loadModel(step.folder);
const adapter = createAdapter(base, { method: step.method as MethodName, config: step.config });
const tuning = tuningOf(base, adapter);
const parameters = new Map([...baseParameters, ...tuning.start(baseParameters, { seed: 1 })]);
if (step.adapter)
  for (const [name, values] of readValues(step.adapter)) parameters.get(name)!.data.set(values as never);
const rows = JSON.parse(readFileSync(step.rows, "utf8")) as { ids: number[]; weights: number[] }[];
const description = describeTraining(tuning.model, {
  batchSize: 1,
  time: step.time,
  packed: false,
  attentionTile: step.attentionTile ?? 256,
  save: step.save,
  lossTile: { rows: step.lossRows ?? 128, vocabulary: base.vocabSize },
  isTrainable: tuning.isTrainable,
  streamGradients: step.stream ?? false,
});
const rule = adamw({ beta2: 0.999 });
const predicted = estimateMemory(description);
const runtime = await Runtime.open({ numThreads: step.threads });
const plan = await TrainPlan.create(runtime, description, parameters);
const optimizer = await Optimizer.create(runtime, rule, { weightDecay: 0 });
const stepMs: number[] = [];
const losses: number[] = [];
for (let i = 0; i < step.steps; i++) {
  const start = performance.now();
  optimizer.begin({ step: i, learningRate: step.learningRate, gradientScale: 1 });
  const update = async (gradients: TrainPlan["gradients"]): Promise<void> => {
    for (const [name, gradient] of gradients) await optimizer.update(name, parameters.get(name)!, gradient);
  };
  const batch = batchOf(rows[i % rows.length]!);
  if (step.stream) losses.push(await plan.run(batch, { accumulate: false, sink: update }));
  else {
    losses.push(await plan.run(batch, { accumulate: false }));
    await update(plan.gradients);
  }
  stepMs.push(performance.now() - start);
}
const flops = trainingFlops(description);
console.log(JSON.stringify({ flops, stepMs, losses, peakBytes: peakBytes(), baselineBytes, predicted }));
process.exit(0);

/** A row of time + 1 tokens with the weight of each as a target. */
function batchOf({ ids, weights }: { ids: number[]; weights: number[] }): MicroBatch {
  const targets = Float32Array.from(weights.slice(1, step.time + 1));
  const total = targets.reduce((a, b) => a + b, 0);
  return {
    ids: Int32Array.from(ids.slice(0, step.time)),
    labels: Int32Array.from(ids.slice(1, step.time + 1)),
    weights: targets.map((weight) => weight / total),
    positions: Int32Array.from({ length: step.time }, (_, i) => i),
  };
}

/** Values of an adapter by name: both sides start from the same ones. */
function readValues(path: string): [string, Float32Array][] {
  const values = JSON.parse(readFileSync(path, "utf8")) as Record<string, number[]>;
  return Object.entries(values).map(([name, list]) => [name, Float32Array.from(list)]);
}
