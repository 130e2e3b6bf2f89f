/** @file One process of the algorithms benchmark: a few steps of one way to train, or the loss alone; times and peak memory. */

import { Rng } from "../../src/base/rng.js";
import { llama } from "../../src/models/index.js";
import { initialize, parameterSpecs } from "../../src/nn/index.js";
import { describeTraining, estimateForward, estimateMemory } from "../../src/plan/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { adamw, algorithms, Evaluation, packDocuments, sgd, stateBytes, train } from "../../src/train/index.js";
import { peakBytes } from "../peak.js";
import type { AlgorithmResult, AlgorithmRun } from "./algorithms.bench.js";

const { way, shape, time, steps, threads, save, selectedTokens } = JSON.parse(process.argv[2]!) as AlgorithmRun;
const model = llama({
  vocab_size: shape.vocab,
  hidden_size: shape.hidden,
  intermediate_size: shape.ffn,
  num_hidden_layers: shape.layers,
  num_attention_heads: shape.heads,
  num_key_value_heads: shape.heads,
  tie_word_embeddings: true,
  rms_norm_eps: 1e-5,
});
const rng = new Rng(1);
const ids = Int32Array.from({ length: time * steps + 1 }, () => rng.below(shape.vocab));
const dataset = packDocuments([{ ids }], time);
const sizes = {
  batchSize: shape.batch,
  attentionTile: 256,
  lossTile: { rows: 256, vocabulary: shape.vocab },
};
const runtime = await Runtime.open({ numThreads: threads });
const parameters = initialize(parameterSpecs(model), 0);
const isTrainable = (): boolean => true;
const selection = selectedTokens === undefined ? {} : { selectedTokens };
const plan = { ...sizes, ...selection, save, isTrainable, streamGradients: way === "lomo" } as const;
const rule = way === "adamw" ? adamw() : sgd();
const stepMs: number[] = [];

if (way === "inference") {
  const evaluation = await Evaluation.create(runtime, model, parameters, dataset, sizes);
  const start = performance.now();
  await evaluation.loss();
  stepMs.push((performance.now() - start) / steps);
} else {
  const algorithm = way === "lomo" || way === "mezo" ? algorithms[way]() : algorithms.backprop();
  const run = train(
    { runtime, model, parameters },
    { train: dataset },
    {
      ...plan,
      streamGradients: false,
      steps,
      accumulate: 1,
      algorithm,
      optimizer: rule,
      weightDecay: 0,
      schedule: { name: "constant", peak: 1e-6, warmupSteps: 0, totalSteps: steps, finalShare: 1 },
      clipNorm: null,
      seed: 1,
      evaluateEvery: 0,
      patience: null,
    },
  );
  for (let start = performance.now(); !(await run.next()).done; start = performance.now()) {
    stepMs.push(performance.now() - start);
  }
}
const shaped = { ...sizes, time, packed: true };
const predicted =
  way === "inference" || way === "mezo"
    ? estimateForward(model, shaped)
    : estimateMemory(describeTraining(model, { ...plan, ...shaped }), {
        stateBytes: (parameter) => stateBytes(rule, parameter),
      });
const result: AlgorithmResult = { stepMs, peakBytes: peakBytes(), predictedBytes: predicted.total };
console.log(JSON.stringify(result));
process.exit(0);
