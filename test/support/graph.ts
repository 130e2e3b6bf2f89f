/** @file What tests of graphs share: random values, runs on the runtime, comparisons. */

import { allocate } from "../../src/base/dtype.js";
import { type HostTensor, sizeOf } from "../../src/base/host-tensor.js";
import type { Rng } from "../../src/base/rng.js";
import { type DimBindings, evaluateShape } from "../../src/graph/dim.js";
import { type Reference, reference } from "../../src/graph/reference.js";
import type { SampleInput, Tensor } from "../../src/graph/tensor.js";
import type { Runtime } from "../../src/runtime/index.js";

/** Values for one input; float32 ones are exactly representable. */
export function draw(
  { shape, dtype = "float32", values = "normal" }: SampleInput,
  rng: Rng,
  dims: DimBindings = {},
): Reference {
  const sizes = evaluateShape(shape, dims);
  const data = new Float64Array(sizeOf(sizes));
  if (Array.isArray(values)) data.set(values as number[]);
  else if (values === "distinct") {
    // no two values closer than finite differences reach, none at zero
    const order = rng.shuffle(Array.from(data, (_, i) => i));
    for (const [i, place] of order.entries()) data[i] = (place - data.length / 2 + 0.4) * 0.3 + 0.01 * rng.uniform();
  } else {
    for (let i = 0; i < data.length; i++) {
      if (typeof values === "object") data[i] = rng.below((values as { below: number }).below);
      else data[i] = values === "positive" ? 0.5 + rng.uniform() : rng.normal();
    }
  }
  return reference(dtype, sizes, dtype === "float32" ? data.map(Math.fround) : data);
}

export function toHost({ dtype, shape, data }: Reference): HostTensor {
  const array = allocate(dtype, data.length);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) array.set(Array.from(data, BigInt));
  else array.set(data);
  return { dtype, shape, data: array };
}

/** Values of `outputs` on the runtime; the inputs are the keys of `feeds`. */
export async function runOnRuntime(
  runtime: Runtime,
  outputs: readonly Tensor[],
  feeds: ReadonlyMap<Tensor, Reference>,
): Promise<HostTensor[]> {
  const named = (prefix: string, tensors: Iterable<Tensor>): Record<string, Tensor> =>
    Object.fromEntries([...tensors].map((tensor, i) => [`${prefix}${i}`, tensor]));
  const program = await runtime.compile({
    name: "case",
    inputs: named("in", feeds.keys()),
    outputs: named("out", outputs),
  });
  const values = Object.fromEntries([...feeds.values()].map((value, i) => [`in${i}`, toHost(value)]));
  return Object.values(await program.run(values));
}

/** Largest difference, relative where values are above one. */
export function worstDifference(actual: ArrayLike<number | bigint>, expected: ArrayLike<number | bigint>): number {
  let worst = actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    const e = Number(expected[i]);
    const difference = Math.abs(Number(actual[i]) - e) / (1 + Math.abs(e));
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}

/** Where the step is 1e-4, central differences of smooth float64 functions are good to about 1e-7. */
const STEP = 1e-4;

/** d loss / d x by central differences. */
export function finiteDifference(x: Float64Array, loss: (x: Float64Array) => number): Float64Array {
  return x.map((_, i) => {
    const at = (delta: number): number => loss(x.map((v, j) => (j === i ? v + delta : v)));
    return (at(STEP) - at(-STEP)) / (2 * STEP);
  });
}
