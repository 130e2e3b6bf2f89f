import { expect, it } from "vitest";
import { tinyModel } from "../../test/support/tiny-model.js";
import { sizeOf } from "../base/host-tensor.js";
import { layerSpecs, parameterSpecs } from "../nn/index.js";
import { describeTraining } from "./describe.js";
import { gradientLayout } from "./gradient-layout.js";

function layoutOf(isTied: boolean, vocabulary: number) {
  const model = tinyModel({ tie_word_embeddings: isTied, vocab_size: vocabulary });
  const shape = { batchSize: 1, time: 8, packed: true, attentionTile: 8, lossTile: { rows: 8, vocabulary } };
  const description = describeTraining(model, {
    ...shape,
    save: "inputs",
    isTrainable: () => true,
    streamGradients: true,
  });
  const ofLayer = layerSpecs(model).reduce((sum, spec) => sum + sizeOf(spec.shape), 0) / model.layers.length;
  return { model, ofLayer, ...gradientLayout(description) };
}

it("takes the memory of the largest tensor where that is larger than a layer", () => {
  const { length, ofLayer } = layoutOf(false, 1000);
  expect(ofLayer).toBeLessThan(16_000);
  // the head's matrix beside the norm before it
  expect(length).toBe(1000 * 16 + 16);
});

it("takes the memory of one layer where that is larger, and a tied embedding's beside it", () => {
  const [apart, tied] = [layoutOf(false, 11), layoutOf(true, 11)];
  expect(apart.ofLayer).toBeGreaterThan(11 * 16);
  expect(apart.length).toBe(apart.ofLayer);
  expect(tied.length).toBe(tied.ofLayer + 11 * 16);
  expect(tied.places.get("model.embed_tokens.weight")!.start).toBe(tied.ofLayer);
});

it("keeps apart what is alive together", () => {
  const { model, places } = layoutOf(true, 11);
  expect([...places.keys()].sort()).toEqual(
    parameterSpecs(model)
      .map(({ name }) => name)
      .sort(),
  );
  for (const { prefix } of model.layers) {
    const taken = [...places].filter(([name]) => name.startsWith(prefix) || name === model.embedding.name);
    const ends = taken.map(([, { start, shape }]) => [start, start + sizeOf(shape)] as const).sort(([a], [b]) => a - b);
    for (const [i, [, end]] of ends.entries()) expect(end).toBeLessThanOrEqual(ends[i + 1]?.[0] ?? end);
  }
});
