/** @file What training under int4 rounding wins back of what rounding after training loses, on stories260K and its own data. */

import type { HostTensor } from "../../src/base/host-tensor.js";
import { fakeQuantized } from "../../src/compress/index.js";
import type { LanguageModel } from "../../src/nn/index.js";
import { Runtime } from "../../src/runtime/index.js";
import {
  adamw,
  Evaluation,
  type PackedDataset,
  packDocuments,
  type TrainOptions,
  train,
} from "../../src/train/index.js";
import { type Benchmark, compared, plain } from "../bench.js";
import { hasStories, stories, storyModel } from "../engine/stories.js";

/** Further steps, unless another number is given after the name. */
const STEPS = 200;
const TIME = 256;
/** Stories that are held out. */
const HELD_OUT = 120;

type Weights = ReadonlyMap<string, HostTensor>;

export const qat: Benchmark = {
  name: "qat",
  about: "held-out loss of stories260K in int4: rounded after training, and trained under rounding",
  async run({ log, args }) {
    if (!hasStories) {
      log("shared/data is absent: nothing is measured");
      return [];
    }
    const steps = args[0] === undefined ? STEPS : Number(args[0]);
    const loaded = await storyModel();
    const { model } = loaded;
    const inInt4 = fakeQuantized(model, "int4");
    const documents = stories(loaded).map((ids) => ({ ids: Int32Array.from(ids) }));
    const heldOut = packDocuments(documents.slice(0, HELD_OUT), TIME);
    const training = packDocuments(documents.slice(HELD_OUT), TIME);
    const runtime = await Runtime.open({ numThreads: 1 });
    const loss = async (of: LanguageModel, weights: Weights): Promise<number> => {
      const evaluation = await Evaluation.create(runtime, of, weights, heldOut, shape(model));
      const value = await evaluation.loss();
      evaluation.close();
      return value;
    };
    const trained = async (of: LanguageModel): Promise<Weights> => {
      const weights = new Map([...loaded.parameters].map(([name, t]) => [name, { ...t, data: t.data.slice() }]));
      const start = performance.now();
      await finish(runtime, of, weights, training, steps);
      log(`  ${steps} steps ${of === model ? "in float32" : "under int4 rounding"}: ${seconds(start)} s`);
      return weights;
    };
    const [float, rounded] = [await trained(model), await trained(inInt4)];
    const losses = {
      float32: await loss(model, float),
      ptq: await loss(inInt4, float),
      qat: await loss(inInt4, rounded),
    };
    const before = { float32: await loss(model, loaded.parameters), ptq: await loss(inInt4, loaded.parameters) };
    await runtime.close();
    const lost = losses.ptq - losses.float32;
    return [
      compared("as published: int4 beside float32", "nats", before.ptq, { value: before.float32, name: "float32" }),
      compared("after training: int4 (PTQ) beside float32", "nats", losses.ptq, {
        value: losses.float32,
        name: "float32",
      }),
      compared("after QAT: int4 beside PTQ", "nats", losses.qat, { value: losses.ptq, name: "PTQ" }),
      plain("won back of what PTQ lost", "share", (losses.ptq - losses.qat) / lost, { atLeast: 0.3 }),
    ];
  },
};

const seconds = (start: number): string => ((performance.now() - start) / 1000).toFixed(0);

const shape = ({ vocabSize }: LanguageModel) => ({
  batchSize: 4,
  attentionTile: 256,
  lossTile: { rows: 1024, vocabulary: vocabSize },
});

async function finish(
  runtime: Runtime,
  model: LanguageModel,
  parameters: Weights,
  dataset: PackedDataset,
  steps: number,
): Promise<void> {
  const options: TrainOptions = {
    ...shape(model),
    save: "all",
    isTrainable: () => true,
    streamGradients: false,
    steps,
    accumulate: 1,
    optimizer: adamw(),
    weightDecay: 0,
    schedule: { name: "cosine", peak: 5e-4, warmupSteps: Math.ceil(steps / 20), totalSteps: steps, finalShare: 0.02 },
    clipNorm: 1,
    seed: 1,
    evaluateEvery: 0,
    patience: null,
  };
  for await (const _ of train({ runtime, model, parameters }, { train: dataset }, options));
}
