/** @file T5 against transformers: states, logits, loss, gradients, and greedy text with and without a cache (tools/golden/encoders.py). */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readModel } from "../../src/checkpoint/index.js";
import { pickParameters } from "../../src/models/encoder-config.js";
import { type T5Config, t5 } from "../../src/models/t5.js";
import { encoderParameters } from "../../src/nn/encoder.js";
import { decoderParameters } from "../../src/nn/encoder-decoder.js";
import { encode } from "../../src/plan/encoder.js";
import { encoderDecoderFeeds, lossChain, shiftRight, teacherForcedLogits } from "../../src/plan/encoder-decoder.js";
import { EncoderDecoderGenerator, likeliest } from "../../src/plan/encoder-decoder-generator.js";
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

/** What float32 sums in another order may differ by (issue 3). */
const TOLERANCE = 1e-4;

const measure = differences();
const runtime = sharedRuntime();

describe.each(["t5", "t5-v1.1"])("%s", async (name) => {
  const folder = join(golden, name);
  const { config, tensors } = await readModel(folder);
  const expected = await readTensors(join(folder, "expected.safetensors"));
  const model = t5(config as T5Config);
  const parameters = pickParameters(
    [...encoderParameters(model.encoder), ...decoderParameters(model.decoder)],
    tensors,
  );
  const at = expectedIn(folder, expected);
  const [batchSize, time] = at("ids").shape as [number, number];
  const batch = { ids: numbers(at("ids")), batchSize, mask: numbers(at("mask")) };
  const labels = numbers(at("labels"));
  const generator = (): Promise<EncoderDecoderGenerator> =>
    EncoderDecoderGenerator.create(runtime(), model, parameters);
  const note = (what: string, difference: number): void => {
    measure(name, what, difference);
    expect(difference).toBeLessThanOrEqual(TOLERANCE);
  };

  it("has the reference's encoder states, layer by layer, with padding on both sides", async () => {
    const { hidden, layers } = await encode(runtime(), model.encoder, parameters, batch, { withLayers: true });
    // the reference's last one is normalised already
    for (const [i, layer] of layers.slice(0, -1).entries()) note("hidden", maxDifference(layer, at(`hidden.${i}`)));
    note("hidden", maxDifference(hidden, at(`hidden.${layers.length - 1}`)));
  });

  it("has the reference's teacher-forced logits", async () => {
    const ids = shiftRight(model, labels, time);
    note("logits", maxDifference(await teacherForcedLogits(runtime(), model, parameters, batch, ids), at("logits")));
  });

  it.each(["all", "selective", "inputs"] as const)(
    "has the reference's loss and gradients, keeping %s",
    async (save) => {
      const rows = [...labels.keys()].filter((i) => labels[i]! >= 0);
      const shape = { batch: batchSize, time, targetTime: time, attentionTile: 4, mode: "train" } as const;
      const stages = lossChain(model, shape, rows.length);
      const plan = await StagePlan.create(runtime(), stages, parameters, { save, isTrainable: () => true });
      fill(plan.feeds, {
        ...encoderDecoderFeeds(model, batch, shiftRight(model, labels, time)),
        rows,
        labels: rows.map((i) => labels[i]!),
        weights: rows.map(() => 1 / rows.length),
      });
      note("loss", Math.abs((await plan.run()) - Number(at("loss").data[0])));
      const checked = [...expected].filter(([key]) => key.startsWith("grad."));
      expect(checked.length).toBe(4);
      for (const [key, value] of checked) {
        note("gradient", relativeDifference(plan.gradients.get(key.slice("grad.".length))!, value));
      }
      expect([...plan.gradients.keys()].sort()).toEqual([...parameters.keys()].sort());
      plan.close();
    },
  );

  it("continues with the reference's 64 greedy ids, from a cache as without", async () => {
    const texts = await (await generator()).generate(batch, { maxTokens: 64, endTokens: [] });
    const reference = numbers(at("greedy"));
    expect(texts.flat()).toEqual(reference);
    const whole = shiftRight(model, reference, 64);
    const logits = await teacherForcedLogits(runtime(), model, parameters, batch, whole);
    const rows = { ...logits, shape: [batchSize * 64, model.vocabSize] };
    expect(Array.from(likeliest(rows))).toEqual(reference);
  });

  it("ends each text at its end token, and all when asked to", async () => {
    const reference = numbers(at("greedy"));
    const end = reference[5]!;
    const texts = await (await generator()).generate(batch, { maxTokens: 64, endTokens: [end] });
    for (const [row, text] of texts.entries()) {
      const whole = reference.slice(row * 64, (row + 1) * 64);
      expect(text).toEqual(whole.slice(0, whole.includes(end) ? whole.indexOf(end) : 64));
    }
    const signal = AbortSignal.abort();
    expect(await (await generator()).generate(batch, { maxTokens: 9, signal })).toEqual([[], [], []]);
  });

  it("trains: the loss of a batch falls, with dropout too", async () => {
    const rows = [...labels.keys()].filter((i) => labels[i]! >= 0);
    const shape = { batch: batchSize, time, targetTime: time, mode: "train" } as const;
    const dropping = t5({ ...(config as T5Config), dropout_rate: 0.05 });
    const copies = new Map([...parameters].map(([key, p]) => [key, { ...p, data: (p.data as Float32Array).slice() }]));
    const stages = lossChain(dropping, shape, rows.length);
    const plan = await StagePlan.create(runtime(), stages, copies, { save: "selective", isTrainable: () => true });
    fill(plan.feeds, {
      ...encoderDecoderFeeds(dropping, batch, shiftRight(dropping, labels, time)),
      rows,
      labels: rows.map((i) => labels[i]!),
      weights: rows.map(() => 1 / rows.length),
    });
    const first = await plan.run({ seed: 1 });
    expect(await plan.run({ seed: 1 })).toBe(first);
    expect(await plan.run({ seed: 2 })).not.toBe(first);
    let loss = first;
    for (let step = 0; step < 30; step++) {
      loss = await plan.run({ seed: step });
      for (const [key, { data }] of plan.gradients) {
        const parameter = copies.get(key)!.data;
        for (let i = 0; i < data.length; i++) parameter[i]! -= 0.02 * Math.sign(Number(data[i]));
      }
    }
    expect(loss).toBeLessThan(first / 2);
    plan.close();
  });

  it("names what does not fit", async () => {
    expect(() => t5({ ...(config as T5Config), feed_forward_proj: "gated-swish" as "relu" })).toThrow(
      "feed_forward_proj",
    );
    await expect(teacherForcedLogits(runtime(), model, parameters, batch, [1, 2])).rejects.toThrow(
      "do not make 3 rows",
    );
    await expect((await generator()).generate(batch, { maxTokens: 0 })).rejects.toThrow("got 0");
    await expect(EncoderDecoderGenerator.create(runtime(), model, new Map())).rejects.toThrow("is missing");
  });
});
