/** @file Every op of the registry: shapes and values as ONNX Runtime computes them, gradients as finite differences give them. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFloat } from "../../src/base/dtype.js";
import type { HostTensor } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import { evaluateShape } from "../../src/graph/dim.js";
import { grad } from "../../src/graph/grad.js";
import { interpret } from "../../src/graph/interpret.js";
import { ops } from "../../src/graph/ops/index.js";
import type { Reference } from "../../src/graph/reference.js";
import { applyAll, input, type OpDef, type Sample, sampleDims, type Tensor } from "../../src/graph/tensor.js";
import { Runtime } from "../../src/runtime/index.js";
import { draw, finiteDifference, runOnRuntime, worstDifference } from "../support/graph.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
});
afterAll(() => runtime.close());

interface Case {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly values: ReadonlyMap<Tensor, Reference>;
}

function build(op: OpDef, sample: Sample): Case {
  const rng = new Rng(1);
  const inputs = sample.inputs.map((spec, i) => input(`in${i}`, spec.dtype ?? "float32", spec.shape));
  const outputs = applyAll(op, inputs, sample.attrs);
  return { inputs, outputs, values: new Map(inputs.map((t, i) => [t, draw(sample.inputs[i]!, rng, sampleDims)])) };
}

/** float32 against float64: a few roundings of values near one. */
const TOLERANCE = 2e-5;
function expectClose(actual: HostTensor, expected: Reference): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.dtype).toBe(expected.dtype);
  expect(worstDifference(actual.data, expected.data)).toBeLessThan(TOLERANCE);
}

const cases = (op: OpDef): [string, Sample][] =>
  op.samples.map((sample) => [JSON.stringify(sample.inputs.map((i) => i.shape)), sample]);

describe.each(Object.entries(ops) as [string, OpDef][])("%s", (name, op) => {
  const applies = (what: string): boolean => op.skips?.[what] === undefined;

  it("is registered under its name and has samples", () => {
    expect(op.name).toBe(name);
    expect(op.samples.length).toBeGreaterThan(0);
  });

  it.runIf(applies("named dims"))("has a sample with named dims", () => {
    const dims = op.samples.flatMap((s) => s.inputs.flatMap((i) => i.shape));
    expect(dims.some((dim) => typeof dim === "string")).toBe(true);
  });

  it.each(cases(op))("%s: shape, dtype and values equal ONNX Runtime's", async (_, sample) => {
    const c = build(op, sample);
    const expected = interpret(c.outputs, c.values, sampleDims);
    expect(expected.map((v) => v.shape)).toEqual(c.outputs.map((t) => evaluateShape(t.shape, sampleDims)));
    const actual = await runOnRuntime(runtime, c.outputs, c.values);
    for (const [i, tensor] of actual.entries()) expectClose(tensor, { ...expected[i]!, dtype: c.outputs[i]!.dtype });
  });

  it.runIf(typeof op.gradient === "string")("says that it has no gradient", () => {
    const { inputs, outputs } = build(op, op.samples[0]!);
    const [output] = outputs;
    const run = (): unknown =>
      grad([{ output: output!, cotangent: input("ct", output!.dtype, output!.shape) }], inputs);
    if (op.gradient === "forbidden") expect(run).toThrow(`"${name}"`);
    else expect(run()).toEqual(inputs.map(() => null));
  });

  it.runIf(typeof op.gradient !== "string").each(cases(op))(
    "%s: gradient equals finite differences, in float64 and on ONNX Runtime",
    async (_, sample) => {
      const { inputs, outputs, values } = build(op, sample);
      const output = outputs[0]!;
      // a cotangent that differs per element, so that a permuted gradient does not pass
      const cotangent = input("cotangent", output.dtype, output.shape);
      const seed = draw({ shape: output.shape, dtype: output.dtype }, new Rng(2), sampleDims);
      const feeds = new Map(values).set(cotangent, seed);
      const gradients = grad([{ output, cotangent }], inputs);
      for (const [i, wrt] of inputs.entries()) {
        const gradient = gradients[i];
        if (!isFloat(wrt.dtype) || !isFloat(output.dtype) || !applies(`gradient of input ${i}`)) continue;
        expect(gradient, `input ${i} has no gradient`).toBeTruthy();
        const [exact] = interpret([gradient!], feeds, sampleDims);
        const base = values.get(wrt)!;
        const numeric = finiteDifference(base.data, (data) => {
          const [y] = interpret([output], new Map(values).set(wrt, { ...base, data }), sampleDims);
          return y!.data.reduce((sum, v, j) => sum + v * seed.data[j]!, 0);
        });
        expect(worstDifference(exact!.data, numeric), `input ${i}`).toBeLessThan(1e-6);
        expectClose((await runOnRuntime(runtime, [gradient!], feeds))[0]!, exact!);
      }
    },
  );
});
