/** @file Encoders and their heads against transformers: hidden states, logits, losses and gradients (tools/golden/encoders.py). */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { HostTensor } from "../../src/base/host-tensor.js";
import { readModel } from "../../src/checkpoint/index.js";
import { encoderTasks } from "../../src/models/bert-heads.js";
import { pickParameters } from "../../src/models/encoder-config.js";
import { encoders } from "../../src/models/encoders.js";
import { type EncoderHead, encoderParameters } from "../../src/nn/encoder.js";
import { contrastiveChain, embed } from "../../src/plan/embed.js";
import { encode, encoderFeeds, encoderStages } from "../../src/plan/encoder.js";
import { lossStage, predict } from "../../src/plan/encoder-heads.js";
import { StagePlan } from "../../src/plan/stage-plan.js";
import {
  differences,
  expectedIn,
  fill,
  maxDifference,
  numbers,
  readTensors,
  relativeDifference,
  sharedRuntime,
} from "../support/golden.js";

const golden = fileURLToPath(new URL("../golden/encoders", import.meta.url));

/** What float32 sums in another order may differ by, here and in the gradients below (issue 3). */
const TOLERANCE = 1e-4;

const measure = differences();
const runtime = sharedRuntime();

describe.each(Object.keys(encoders) as (keyof typeof encoders)[])("%s", async (name) => {
  const folder = join(golden, name);
  const { config, tensors } = await readModel(folder);
  const expected = await readTensors(join(folder, "expected.safetensors"));
  const { encoder, head } = encoders[name](config);
  const at = expectedIn(folder, expected);
  const tokenTypes = expected.get("token_types");
  const batch = {
    ids: numbers(at("ids")),
    batchSize: at("ids").shape[0]!,
    mask: numbers(at("mask")),
    ...(tokenTypes && { tokenTypes: numbers(tokenTypes) }),
  };
  const note = (what: string, difference: number): void => {
    measure(name, what, difference);
    expect(difference).toBeLessThanOrEqual(TOLERANCE);
  };
  const parametersOf = (task: string, of: EncoderHead): Map<string, HostTensor> => {
    const own = [...expected].filter(([key]) => key.startsWith(`${task}.parameter.`));
    const all = new Map([
      ...tensors,
      ...own.map(([key, value]) => [key.slice(`${task}.parameter.`.length), value] as const),
    ]);
    return pickParameters([...encoderParameters(encoder), ...of.parameters], all);
  };

  it("has the reference's hidden states, layer by layer, with padding on both sides", async () => {
    const parameters = pickParameters(encoderParameters(encoder), tensors);
    const { hidden, layers } = await encode(runtime(), encoder, parameters, batch, { withLayers: true });
    for (const [i, layer] of layers.entries()) note("hidden", maxDifference(layer, at(`hidden.${i}`)));
    expect(hidden).toBe(layers.at(-1));
  });

  it("gives a sequence the states that it has alone", async () => {
    const parameters = pickParameters(encoderParameters(encoder), tensors);
    const time = at("ids").shape[1]!;
    const { hidden: together } = await encode(runtime(), encoder, parameters, batch);
    const length = batch.mask.slice(time, 2 * time).filter((m) => m === 1).length;
    const { hidden: alone } = await encode(runtime(), encoder, parameters, {
      ids: batch.ids.slice(time, time + length),
      batchSize: 1,
      ...(batch.tokenTypes && { tokenTypes: batch.tokenTypes.slice(time, time + length) }),
    });
    const width = encoder.hiddenSize;
    const part = together.data.subarray(time * width, (time + length) * width);
    note("alone", maxDifference(alone, { ...alone, data: part }));
  });

  it.each(encoderTasks)("%s: has the reference's logits, loss and gradients", async (task) => {
    const of = head(task);
    const parameters = parametersOf(task, of);
    note(`logits`, maxDifference(await predict(runtime(), encoder, of, parameters, batch), at(`${task}.logits`)));

    const labels = numbers(at(`${task}.labels`));
    const rows = [...labels.keys()].filter((i) => labels[i]! >= 0);
    const [batchSize, time] = at("ids").shape as [number, number];
    const shape = { batch: batchSize, time, attentionTile: 4, mode: "train" } as const;
    const stages = [...encoderStages(encoder, shape), lossStage(encoder, of, shape, rows.length)];
    for (const save of ["all", "selective", "inputs"] as const) {
      const plan = await StagePlan.create(runtime(), stages, parameters, { save, isTrainable: () => true });
      const { feeds, gradients } = plan;
      fill(feeds, {
        ...encoderFeeds(encoder, batch),
        ...(feeds.rows && { rows }),
        labels: rows.map((i) => labels[i]!),
        weights: rows.map(() => 1 / rows.length),
      });
      const loss = await plan.run();
      note("loss", Math.abs(loss - Number(at(`${task}.loss`).data[0])));
      const checked = [...expected].filter(([key]) => key.startsWith(`${task}.grad.`));
      expect(checked.length).toBeGreaterThanOrEqual(3);
      for (const [key, value] of checked) {
        note("gradient", relativeDifference(gradients.get(key.slice(`${task}.grad.`.length))!, value));
      }
      const once = new Map([...gradients].map(([key, { data }]) => [key, Float32Array.from(data as Float32Array)]));
      await plan.run({ accumulate: true });
      for (const [key, { data }] of gradients) {
        for (let i = 0; i < data.length; i += 7) expect(data[i]).toBeCloseTo(2 * once.get(key)![i]!, 4);
      }
      plan.close();
    }
  });

  it("has the reference's sentence embeddings, and trains them by pairs", async () => {
    const pooling = { modes: ["mean"], isNormalized: true } as const;
    const parameters = pickParameters(encoderParameters(encoder), tensors);
    note("embedding", maxDifference(await embed(runtime(), encoder, parameters, batch, pooling), at("embedding")));
    const [batchSize, time] = at("ids").shape as [number, number];
    // each row, then the rows in reverse order as their partners
    const doubled = (values: readonly number[]): number[] => {
      const rows = Array.from({ length: batchSize }, (_, i) => values.slice(i * time, (i + 1) * time));
      return [...rows, ...rows.toReversed()].flat();
    };
    const pairs = {
      ids: doubled(batch.ids),
      mask: doubled(batch.mask),
      batchSize: 2 * batchSize,
      ...(batch.tokenTypes && { tokenTypes: doubled(batch.tokenTypes) }),
    };
    const stages = contrastiveChain(encoder, pooling, { batch: pairs.batchSize, time, mode: "train" });
    const plan = await StagePlan.create(runtime(), stages, parameters, { save: "selective", isTrainable: () => true });
    fill(plan.feeds, encoderFeeds(encoder, pairs));
    note("loss", Math.abs((await plan.run()) - Number(at("embedding.loss").data[0])));
    const checked = [...expected].filter(([key]) => key.startsWith("embedding.grad."));
    expect(checked.length).toBe(2);
    for (const [key, value] of checked) {
      note("gradient", relativeDifference(plan.gradients.get(key.slice("embedding.grad.".length))!, value));
    }
    plan.close();
    expect(() => contrastiveChain(encoder, pooling, { batch: 3, time, mode: "train" })).toThrow("pairs");
  });

  it("names what does not fit", async () => {
    const parameters = pickParameters(encoderParameters(encoder), tensors);
    await expect(encode(runtime(), encoder, parameters, { ids: [encoder.vocabSize], batchSize: 1 })).rejects.toThrow(
      "ids must be",
    );
    await expect(encode(runtime(), encoder, parameters, { ids: [3, 4, 5], batchSize: 2 })).rejects.toThrow("pad them");
    const long = new Array<number>(encoder.maxPositions + 1).fill(3);
    await expect(encode(runtime(), encoder, parameters, { ids: long, batchSize: 1 })).rejects.toThrow("at most");
    expect(() => pickParameters(encoderParameters(encoder), new Map())).toThrow("found nothing");
    expect(() => encoders[name]({ ...config, vocab_size: -1 })).toThrow("vocab_size");
  });
});
