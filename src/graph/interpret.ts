/** @file The reference interpreter: runs a graph in float64 with each op's plain definition. */

import { assert } from "../base/errors.js";
import type { DimBindings } from "./dim.js";
import type { Reference } from "./reference.js";
import { type Tensor, topologicalOrder } from "./tensor.js";

/** Values of `outputs`, given the values of the inputs they depend on. Slow and exact; for checks and single numbers. */
export function interpret(
  outputs: readonly Tensor[],
  feeds: ReadonlyMap<Tensor, Reference>,
  dims: DimBindings = {},
): Reference[] {
  const values = new Map(feeds);
  for (const node of topologicalOrder(outputs, new Set(feeds.keys()))) {
    const inputs = node.inputs.map((tensor) => values.get(tensor)!);
    const result = node.op.evaluate(inputs, node.attrs, dims);
    const results = "dtype" in result ? [result] : result;
    node.outputs.forEach((tensor, i) => {
      const value = results[i];
      assert(value && value.shape.length === tensor.rank, `${node.op.name}: evaluate and infer disagree on rank`);
      values.set(tensor, value);
    });
  }
  return outputs.map((tensor) => values.get(tensor)!);
}
