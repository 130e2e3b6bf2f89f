/** @file What training under int4 rounding wins back of what rounding after training loses: stories260K learns Shakespeare. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { HostTensor } from "../../src/base/host-tensor.js";
import { fakeQuantized } from "../../src/compress/index.js";
import type { LanguageModel } from "../../src/nn/index.js";
import { loadModel } from "../../src/presets/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { adamw, Evaluation, packDocuments, type TrainOptions, train } from "../../src/train/index.js";
import { type Benchmark, compared, plain } from "../bench.js";

/** Steps in float32 that all share, and further steps of each way, unless another number of these is given after the name. */
const STEPS = 200;
const FURTHER = 100;
const TIME = 256;
const HELD_OUT_TOKENS = 2 ** 14;

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const base = `${data}llm-stories260k/stories260K.bin`;
const text = `${data}data-tinyshakespeare/input.txt`;

type Weights = ReadonlyMap<string, HostTensor>;

export const qat: Benchmark = {
  name: "qat",
  about: "held-out loss in int4: rounded after training, and trained under rounding for as many steps",
  async run({ log, args }) {
    if (!existsSync(base) || !existsSync(text)) {
      log("shared/data is absent: nothing is measured");
      return [];
    }
    const further = args[0] === undefined ? FURTHER : Number(args[0]);
    const { model, parameters: published, tokenizer } = await loadModel(base);
    const inInt4 = fakeQuantized(model, "int4");
    const ids = tokenizer.encode(readFileSync(text, "utf8"));
    const cut = ids.length - HELD_OUT_TOKENS;
    const training = packDocuments([{ ids: ids.subarray(0, cut) }], TIME);
    const heldOut = packDocuments([{ ids: ids.subarray(cut) }], TIME);
    const runtime = await Runtime.open({ numThreads: 1 });

    const loss = async (of: LanguageModel, weights: Weights): Promise<number> => {
      const evaluation = await Evaluation.create(runtime, of, weights, heldOut, shape(model));
      const value = await evaluation.loss();
      evaluation.close();
      return value;
    };
    const trained = async (of: LanguageModel, from: Weights, steps: number, peak: number): Promise<Weights> => {
      const parameters = new Map([...from].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
      const start = performance.now();
      const run = train({ runtime, model: of, parameters }, { train: training }, optionsOf(model, steps, peak));
      while (!(await run.next()).done);
      const ms = (performance.now() - start) / steps;
      log(`  ${steps} steps ${of === model ? "in float32" : "under int4 rounding"}: ${ms.toFixed(0)} ms each`);
      return parameters;
    };

    const tuned = await trained(model, published, STEPS, 2e-3);
    const before = { float32: await loss(model, tuned), int4: await loss(inInt4, tuned) };
    const float = await trained(model, tuned, further, 5e-4);
    const [inFloat, ptq] = [await loss(model, float), await loss(inInt4, float)];
    const afterQat = await loss(inInt4, await trained(inInt4, tuned, further, 5e-4));
    await runtime.close();
    return [
      compared("tuned: int4 (PTQ) beside float32", "nats", before.int4, { value: before.float32, name: "float32" }),
      compared("further in float32: int4 (PTQ) beside float32", "nats", ptq, { value: inFloat, name: "float32" }),
      compared("further under rounding: int4 beside float32", "nats", afterQat, { value: inFloat, name: "float32" }),
      plain("won back of what PTQ lost", "share", (ptq - afterQat) / (ptq - inFloat), { atLeast: 0.3 }),
    ];
  },
};

const shape = ({ vocabSize }: LanguageModel) => ({
  batchSize: 4,
  attentionTile: 256,
  lossTile: { rows: 1024, vocabulary: vocabSize },
});

const optionsOf = (model: LanguageModel, steps: number, peak: number): TrainOptions => ({
  ...shape(model),
  save: "all",
  isTrainable: () => true,
  streamGradients: false,
  steps,
  accumulate: 1,
  optimizer: adamw(),
  weightDecay: 0,
  schedule: { name: "cosine", peak, warmupSteps: Math.ceil(steps / 20), totalSteps: steps, finalShare: 0.05 },
  clipNorm: 1,
  seed: 1,
  evaluateEvery: 0,
  patience: null,
});
