/** @file Every export format: what it writes computes the same, with every type of weights, and a wrong file is refused. */

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostTensor } from "../../src/base/host-tensor.js";
import type { JsonValue } from "../../src/checkpoint/index.js";
import {
  type Exporter,
  type ExportSource,
  exporters,
  exportModel,
  readOnnxWeights,
  runOnnx,
  writeOnnx,
} from "../../src/export/index.js";
import { initialize, parameterSpecs } from "../../src/nn/index.js";
import { adapterSpecs, attach, createAdapter } from "../../src/peft/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { toTokenizerJson, trainByteLevelBpe } from "../../src/tokenizers/index.js";
import { tinyModel } from "../support/tiny-model.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open();
  folder = await mkdtemp(join(tmpdir(), "tessera-export-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

function source(): ExportSource {
  const tokenizer = trainByteLevelBpe(["the cat sat on the mat"], {
    vocabSize: 264,
    specialTokens: ["<|endoftext|>"],
    pretokenizer: "gpt2",
  });
  const model = tinyModel({ vocab_size: 264, hidden_size: 32, intermediate_size: 64, num_key_value_heads: 2 });
  return {
    model,
    parameters: initialize(parameterSpecs(model), 1),
    tokenizer,
    tokenizerFiles: new Map([["tokenizer.json", new TextEncoder().encode(toTokenizerJson(tokenizer))]]),
    config: { ...model.config } as Record<string, JsonValue>,
    families: {},
  };
}

function withAdapter(base: ExportSource): ExportSource {
  const definition = createAdapter(base.model, { config: { r: 4, lora_alpha: 8 } });
  const specs = adapterSpecs(base.model, attach(base.model, definition));
  // an adapter starts as nothing; a trained one is not nothing
  const parameters = new Map<string, HostTensor>(
    [...initialize(specs, 2)].map(([name, t], seed) => [
      name,
      { ...t, data: (t.data as Float32Array).map((_, i) => Math.sin(i + seed) / 9) },
    ]),
  );
  return { ...base, adapter: { definition, parameters, baseModel: "base" } };
}

const cases = Object.entries(exporters).flatMap(([name, exporter]: [string, Exporter]) =>
  Object.keys(exporter.dtypes).map((dtype) => [name, dtype, exporter] as const),
);

describe.each(cases)("%s, %s", (name, dtype, exporter) => {
  it("computes the same when it is read back, with an adapter too", async () => {
    const target = join(folder, `${name}-${dtype}`);
    const report = await exportModel(runtime, withAdapter(source()), exporter, { target, dtype });
    expect(report.maxDifference).toBeLessThanOrEqual(report.limit);
    expect(report.numTokens).toBe(42);
    expect(report.files.length).toBeGreaterThan(0);
    // fewer bits change something; a difference of nothing would be a comparison with itself
    if (!/32$/.test(dtype)) expect(report.maxDifference).toBeGreaterThan(0);
  });

  it("refuses what it wrote when a weight is wrong, and names the tensor", async () => {
    const target = join(folder, `${name}-${dtype}-wrong`);
    const wrong: Exporter = {
      ...exporter,
      write: (given, at, options) => exporter.write(spoiled(given), at, options),
    };
    const run = exportModel(runtime, withAdapter(source()), wrong, { target, dtype });
    await expect(run).rejects.toThrow(/first tensor that differs is \S*layers\.1\.self_attn\.v_proj/);
  });
});

/** A copy with one matrix of the second layer negated. */
function spoiled(given: ExportSource): ExportSource {
  const negated = (tensors: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> =>
    new Map(
      [...tensors].map(([name, t]) =>
        /layers\.1\.self_attn\.v_proj\.(weight|lora_A)/.test(name)
          ? [name, { ...t, data: (t.data as Float32Array).map((v) => -v) }]
          : [name, t],
      ),
    );
  return {
    ...given,
    parameters: negated(given.parameters),
    ...(given.adapter && { adapter: { ...given.adapter, parameters: negated(given.adapter.parameters) } }),
  };
}

it("refuses a type of weights that a format does not write", async () => {
  const run = exportModel(runtime, source(), exporters.onnx, { target: join(folder, "x"), dtype: "int3" });
  await expect(run).rejects.toThrow("onnx does not write int3; it writes: float32, float16");
});

it("asks for an adapter where only an adapter is written", async () => {
  const run = exportModel(runtime, source(), exporters.peft, { target: join(folder, "none") });
  await expect(run).rejects.toThrow("--adapter");
});

it.each(["float32", "float16"] as const)("keeps large %s weights in a file beside an ONNX model", async (dtype) => {
  const { model, parameters } = source();
  const input = { ids: [[1, 2, 3, 4, 5]] };
  const [whole, split] = [join(folder, `whole-${dtype}.onnx`), join(folder, `split-${dtype}.onnx`)];
  const signature = await writeOnnx(whole, model, parameters, { dtype });
  await writeOnnx(split, model, parameters, { dtype, mostInside: 1000 });
  expect((await stat(`${split}.data`)).size).toBeGreaterThan((await stat(split)).size / 2);
  expect(await readOnnxWeights(split)).toEqual(await readOnnxWeights(whole));
  const logits = (path: string) => runOnnx(runtime, path, model, signature, input);
  expect(await logits(split)).toEqual(await logits(whole));
});
