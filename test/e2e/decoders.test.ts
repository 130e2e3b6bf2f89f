/** @file A tiny decoder learns one batch by heart, whatever encodes its positions; with fewer key/value heads it learns again. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EncodingName, encodingNames, tinyDecoder } from "../../bench/positions/tiny-decoder.js";
import { Rng } from "../../src/base/rng.js";
import { input, interpret, type Reference, reference, type Tensor } from "../../src/graph/index.js";
import { groupKvHeads, llama, modelFromConfig } from "../../src/models/index.js";
import {
  initialize,
  type LanguageModel,
  type Parameters,
  parameterSpecs,
  relativeAttention,
} from "../../src/nn/index.js";
import { relativeRows } from "../../src/nn/position/relative.js";
import { Runtime } from "../../src/runtime/index.js";
import { adamw, Evaluation, packDocuments, train } from "../../src/train/index.js";

const [time, rows, vocabSize] = [16, 4, 48];
const rng = new Rng(5);
const dataset = packDocuments(
  [{ ids: Int32Array.from({ length: rows * time + 1 }, () => rng.below(vocabSize)) }],
  time,
);
const shape = { vocabSize, hiddenSize: 32, numLayers: 2, numHeads: 4, time };
const sizes = { batchSize: rows, attentionTile: 8, lossTile: { rows: 64, vocabulary: vocabSize } };

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

/** Loss per token after so many steps over the same rows. */
async function lossAfter(steps: number, model: LanguageModel, parameters: Parameters): Promise<number> {
  const run = train(
    { runtime, model, parameters },
    { train: dataset },
    {
      ...sizes,
      steps,
      accumulate: 1,
      save: "all",
      isTrainable: () => true,
      streamGradients: false,
      optimizer: adamw(),
      weightDecay: 0,
      schedule: { name: "cosine", peak: 1e-2, warmupSteps: 5, totalSteps: steps, finalShare: 0.1 },
      clipNorm: 1,
      seed: 1,
      evaluateEvery: 0,
      patience: null,
    },
  );
  for await (const event of run) expect(event.type).toBe("step");
  return loss(model, parameters);
}

async function loss(model: LanguageModel, parameters: Parameters): Promise<number> {
  const evaluation = await Evaluation.create(runtime, model, parameters, dataset, sizes);
  try {
    return await evaluation.loss();
  } finally {
    evaluation.close();
  }
}

const begin = (model: LanguageModel) => initialize(parameterSpecs(model), 2);

describe("a tiny decoder", () => {
  it.each(encodingNames)("with positions %s overfits one batch", async (name) => {
    const model = tinyDecoder(name, shape);
    expect(await lossAfter(120, model, begin(model))).toBeLessThan(0.05);
  });

  it.each<EncodingName>(["rope", "xpos", "alibi", "sinusoidal", "learned"])(
    "knows the order of what it read by positions %s",
    async (name) => {
      // one layer without positions sees a set of tokens: swapping two that came before changes nothing at the end
      const ids = Int32Array.from({ length: time + 1 }, (_, i) => i);
      const swapped = ids.slice();
      [swapped[2], swapped[7]] = [ids[7]!, ids[2]!];
      const lastLoss = async (model: LanguageModel, row: Int32Array): Promise<number> => {
        const targets = Uint8Array.from(row, (_, i) => (i === time ? 1 : 0));
        const parameters = initialize(
          parameterSpecs(model).map((spec) => ({ ...spec, init: stronger(spec.init) })),
          2,
        );
        const options = { ...sizes, batchSize: 1 };
        const packed = packDocuments([{ ids: row, targets }], time);
        const evaluation = await Evaluation.create(runtime, model, parameters, packed, options);
        try {
          return await evaluation.loss();
        } finally {
          evaluation.close();
        }
      };
      const difference = async (encoding: EncodingName): Promise<number> => {
        const model = tinyDecoder(encoding, { ...shape, numLayers: 1 });
        return Math.abs((await lastLoss(model, ids)) - (await lastLoss(model, swapped)));
      };
      expect(await difference("none")).toBeLessThan(1e-5);
      expect(await difference(name)).toBeGreaterThan(1e-3);
    },
  );

  it("sees all of a text in blocks that are as long as it, and no further back than two shorter ones", async () => {
    const whole = tinyDecoder("rope", shape);
    const parameters = begin(whole);
    await lossAfter(30, whole, parameters);
    expect(await loss(tinyDecoder("rope", shape, { blockSize: time / 2 }), parameters)).toBeCloseTo(
      await loss(whole, parameters),
      5,
    );
    expect(await loss(tinyDecoder("rope", shape, { blockSize: 2 }), parameters)).toBeGreaterThan(
      (await loss(whole, parameters)) + 0.01,
    );
  });

  it("learns its batch again with half the key/value heads", async () => {
    const full = llama({
      vocab_size: vocabSize,
      hidden_size: 32,
      intermediate_size: 88,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      max_position_embeddings: time,
      tie_word_embeddings: true,
    });
    const parameters = begin(full);
    expect(await lossAfter(120, full, parameters)).toBeLessThan(0.05);
    const grouped = groupKvHeads(full, parameters, 2);
    const converted = modelFromConfig(grouped.config);
    expect(await loss(converted, grouped.parameters)).toBeGreaterThan(0.05);
    expect(await lossAfter(60, converted, grouped.parameters)).toBeLessThan(0.05);
  });
});

describe("learned relative positions", () => {
  it("do not see where in a row a text stands", () => {
    const [batch, numHeads, headDim, maxDistance, padding] = [1, 2, 4, 2, 3];
    const draws = new Rng(9);
    const drawn = (...dims: number[]) =>
      reference(
        "float32",
        dims,
        Float64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => draws.normal()),
      );
    const text = [0, 1, 2].map(() => drawn(batch, numHeads, time, headDim));
    const tables = [drawn(2 * maxDistance + 1, headDim), drawn(2 * maxDistance + 1, headDim)] as const;
    /** Attention over the text from position `start` on, behind padding that no query sees. */
    const attended = (start: number): Float64Array => {
      const length = start + time;
      const fed = new Map<Tensor, Reference>();
      const feed = (value: Reference): Tensor => {
        const tensor = input(`${fed.size}`, value.dtype, value.shape);
        fed.set(tensor, value);
        return tensor;
      };
      const shifted = (value: Reference): Tensor => {
        const rowsOfHead = Array.from({ length: numHeads }, (_, head) => [
          ...Array.from({ length: start * headDim }, () => draws.normal()),
          ...value.data.subarray(head * time * headDim, (head + 1) * time * headDim),
        ]);
        return feed(reference("float32", [batch, numHeads, length, headDim], Float64Array.from(rowsOfHead.flat())));
      };
      const seen = Float64Array.from({ length: length ** 2 }, (_, i) => {
        const [query, key] = [Math.floor(i / length), i % length];
        return key >= start && key <= query ? 1 : 0;
      });
      const picks = Float64Array.from(relativeRows(length, length, maxDistance).data as BigInt64Array, Number);
      const [q, k, v] = text.map(shifted) as [Tensor, Tensor, Tensor];
      const out = relativeAttention(q, k, v, {
        scale: 0.5,
        rows: feed(reference("int64", [length, length], picks)),
        keyTable: feed(tables[0]),
        valueTable: feed(tables[1]),
        mask: feed(reference("bool", [1, 1, length, length], seen)),
      });
      const { data } = interpret([out], fed)[0]!;
      return Float64Array.from({ length: numHeads * time * headDim }, (_, i) => {
        const head = Math.floor(i / (time * headDim));
        return data[(head * length + start) * headDim + (i % (time * headDim))]!;
      });
    };
    const [here, there] = [attended(0), attended(padding)];
    expect(here.some((x) => Math.abs(x) > 0.1)).toBe(true);
    for (const [i, value] of here.entries()) expect(there[i]).toBeCloseTo(value, 12);
  });
});

/** Larger than in training, so that what attention adds is not lost beside the embedding. */
const stronger = (init: { readonly fill: number } | { readonly std: number }) => ("std" in init ? { std: 0.3 } : init);
