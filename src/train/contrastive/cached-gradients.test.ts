import { describe, expect, it } from "vitest";
import { numbers, sharedRuntime } from "../../../test/support/golden.js";
import { Rng } from "../../base/rng.js";
import { bert } from "../../models/bert.js";
import { encoderParameters, initialize } from "../../nn/index.js";
import { encoderFeeds } from "../../plan/encoder.js";
import { contrastiveChain, StagePlan } from "../../plan/index.js";
import { trainByGradients } from "../gradient-loop.js";
import { adamw } from "../optim/index.js";
import { fill, padRows } from "../stage-trainer.js";
import { CachedGradients } from "./cached-gradients.js";
import { contrastiveSource, type TokenPair } from "./contrastive-source.js";

const runtime = sharedRuntime();
const pooling = { modes: ["mean"], isNormalized: true } as const;

function tiny(dropout: number) {
  const { encoder } = bert({
    vocab_size: 40,
    hidden_size: 8,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 16,
    max_position_embeddings: 32,
    hidden_dropout_prob: dropout,
    attention_probs_dropout_prob: dropout,
  });
  return { encoder, pooling, parameters: initialize(encoderParameters(encoder), 3) };
}

const rng = new Rng(5);
const text = (length: number): number[] => Array.from({ length }, () => 1 + rng.below(39));
const pairs: readonly TokenPair[] = [3, 17, 5, 9, 2, 12].map((length) => ({
  query: text(length),
  positive: text(20 - length),
  negatives: [],
}));
const rows = [...pairs.map(({ query }) => query), ...pairs.map(({ positive }) => positive)];

describe("gradients in micro-batches", () => {
  it("are those of the whole batch in one pass", async () => {
    const model = tiny(0);
    const shape = { batch: 12, time: 18, mode: "train" } as const;
    const plan = await StagePlan.create(runtime(), contrastiveChain(model.encoder, pooling, shape), model.parameters, {
      save: "all",
      isTrainable: () => true,
    });
    fill(plan.feeds, encoderFeeds(model.encoder, padRows(rows, 18, 0)));
    const whole = await plan.run();

    // 32 positions: two to four rows at a time, of three padded lengths
    const options = { batch: 6, microTokens: 32 };
    const source = await contrastiveSource(runtime(), model, { batch: () => pairs }, options);
    for (let i = 0; i < 2; i++) expect((await source.step(i, 1)).loss).toBeCloseTo(whole, 5);
    expect([...source.gradients.keys()].sort()).toEqual([...plan.gradients.keys()].sort());
    for (const [name, gradient] of plan.gradients) {
      const cached = numbers(source.gradients.get(name)!);
      const expected = numbers(gradient);
      const size = Math.max(...expected.map(Math.abs));
      const worst = Math.max(...expected.map((value, j) => Math.abs(value - cached[j]!)));
      // float32 sums in another order
      expect(worst, name).toBeLessThan(1e-5 * Math.max(1, size));
    }
    plan.close();
    source.close();
  });

  it("go back through the dropout that the vectors were made with", async () => {
    const model = tiny(0.3);
    const towers = await CachedGradients.create(runtime(), model, { microTokens: 32 });
    const name = "embeddings.word_embeddings.weight";
    const weight = model.parameters.get(name)!.data as Float32Array;
    const cotangents = Float32Array.from({ length: rows.length * towers.width }, () => rng.normal());
    const value = async (): Promise<number> => {
      const vectors = await towers.embed(rows, 9);
      return vectors.reduce((sum, x, i) => sum + x * cotangents[i]!, 0);
    };
    const still = await value();
    expect(await value()).toBe(still);
    await towers.backward(cotangents);
    const gradient = numbers(towers.gradients.get(name)!);
    const at = gradient.reduce((best, g, i) => (Math.abs(g) > Math.abs(gradient[best]!) ? i : best), 0);
    const before = weight[at]!;
    const [up, down] = [Math.fround(before + 2e-4), Math.fround(before - 2e-4)];
    weight[at] = up;
    const above = await value();
    weight[at] = down;
    const slope = (above - (await value())) / (up - down);
    weight[at] = before;
    // central difference in float32
    expect(Math.abs(slope / gradient[at]! - 1)).toBeLessThan(0.02);
    const other = await towers.embed(rows, 10);
    expect(Math.abs(other.reduce((sum, x, i) => sum + x * cotangents[i]!, 0) - still)).toBeGreaterThan(1e-3);
    towers.close();
  });

  it("refuse what the encoder does not take, and batches of another size", async () => {
    const model = tiny(0);
    const towers = await CachedGradients.create(runtime(), model);
    await expect(towers.embed([text(33)], 1)).rejects.toThrow("text 0 of the batch has 33 tokens, expected 1 to 32");
    towers.close();
    const source = await contrastiveSource(runtime(), model, { batch: () => pairs }, { batch: 6, numNegatives: 1 });
    await expect(source.step(0, 1)).rejects.toThrow("expected 6 pairs with 1 negatives, got one with 0");
    source.close();
  });
});

it("training pulls pairs together, with hard negatives too", async () => {
  const model = tiny(0);
  const withNegatives = pairs.map((pair, i) => ({ ...pair, negatives: [pairs[(i + 1) % pairs.length]!.query] }));
  const options = { batch: 6, numNegatives: 1, isSymmetric: true };
  const source = await contrastiveSource(runtime(), model, { batch: () => withNegatives }, options);
  const losses: number[] = [];
  const schedule = { name: "constant", peak: 0.01, warmupSteps: 0, totalSteps: 12, finalShare: 1 } as const;
  const run = trainByGradients({ runtime: runtime(), parameters: model.parameters }, source, {
    steps: 12,
    optimizer: adamw(),
    schedule,
    seed: 1,
    clipNorm: 1,
  });
  for await (const event of run) if (event.type === "step") losses.push(event.loss);
  expect(losses).toHaveLength(12);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 3);
});
