/** @file Position of the largest element of the last axis. */
import { forEachIndex, reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";

export const argmaxOp: OpDef<[Tensor]> = {
  name: "argmax",
  infer: ([x]) => ({ dtype: "int64", shape: x.shape.slice(0, -1) }),
  gradient: "zero",
  lower: (b, [x]) => b.node("ArgMax", [x], { axis: -1, keepdims: 0 }),
  evaluate: ([x]) => {
    const size = x.shape.at(-1)!;
    const out = reference("int64", x.shape.slice(0, -1));
    forEachIndex(out.shape, (flat) => {
      const row = x.data.subarray(flat * size, (flat + 1) * size);
      out.data[flat] = row.indexOf(Math.max(...row));
    });
    return out;
  },
  samples: [
    { inputs: [{ shape: [2, 5], values: "distinct" }], attrs: {} },
    { inputs: [{ shape: ["B", "T", 4], values: "distinct" }], attrs: {} },
  ],
};

/** x [..., N] → [...] int64: the first largest element's index. */
export function argmax(x: Tensor): Tensor {
  return apply(argmaxOp, [x], {});
}
