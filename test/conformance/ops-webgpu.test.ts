/** @file Every op of the registry on WebGPU, against its plain evaluation: what is lowered otherwise there, and what is not. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rng } from "../../src/base/rng.js";
import { interpret } from "../../src/graph/interpret.js";
import { ops } from "../../src/graph/ops/index.js";
import { applyAll, input, type OpDef, sampleDims } from "../../src/graph/tensor.js";
import { Runtime } from "../../src/runtime/index.js";
import { draw, runOnRuntime, worstDifference } from "../support/graph.js";
import { whyNoWebGpu } from "../support/webgpu.js";

/** float32 against float64: a few roundings of values near one. */
const TOLERANCE = 2e-5;

/** Ops that are refused there. */
const cpuOnly = ["grouped_query_attention"];

const missing = whyNoWebGpu();

describe.skipIf(missing !== undefined)(`ops on WebGPU (${missing ?? "there is an adapter"})`, () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.open({ backend: "webgpu", numThreads: 2 });
  });
  afterAll(() => runtime.close());

  it.each(Object.entries(ops) as [string, OpDef][])("%s", { timeout: 120_000 }, async (name, op) => {
    for (const sample of op.samples) {
      const rng = new Rng(1);
      const inputs = sample.inputs.map((spec, i) => input(`in${i}`, spec.dtype ?? "float32", spec.shape));
      const outputs = applyAll(op, inputs, sample.attrs);
      const values = new Map(inputs.map((t, i) => [t, draw(sample.inputs[i]!, rng, sampleDims)]));
      const run = runOnRuntime(runtime, outputs, values);
      if (cpuOnly.includes(name)) {
        await expect(run).rejects.toThrow("runs on the CPU only, not on webgpu");
        continue;
      }
      const expected = interpret(outputs, values, sampleDims);
      for (const [i, { shape, dtype, data }] of (await run).entries()) {
        expect({ shape, dtype }).toEqual({ shape: expected[i]!.shape, dtype: outputs[i]!.dtype });
        expect(worstDifference(data, expected[i]!.data)).toBeLessThan(TOLERANCE);
      }
    }
  });
});
