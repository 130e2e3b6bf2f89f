/** @file Order of execution: a tensor that exists only once others do. */
import { onnxDType } from "../onnx-dtype.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";

export const afterOp: OpDef<readonly Tensor[]> = {
  name: "after",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  gradient: (ct, { inputs }) => inputs.map((_, i) => (i === 0 ? ct : null)),
  // ONNX has no control edges: zero times one element of each is added to x
  lower: (b, [x, ...others], _, node) => {
    const dtype = node.inputs[0]!.dtype;
    const elements = others.map((other, i) => {
      const flat = b.node("Reshape", [other, b.ints([-1])]);
      const element = b.node("Gather", [flat, b.scalar(0, "int64")], { axis: 0 });
      if (node.inputs[i + 1]!.dtype === dtype) return element;
      // by way of a truth value, which NaN has too
      const truth = b.node("Cast", [element], { to: onnxDType.bool });
      return b.node("Cast", [truth], { to: onnxDType[dtype] });
    });
    const sum = elements.reduce((a, c) => b.node("Add", [a, c]));
    return b.node("Add", [x!, b.node("Mul", [sum, b.scalar(0, dtype)])]);
  },
  evaluate: ([x]) => x!,
  samples: [
    { inputs: [{ shape: [2, 3] }, { shape: [4] }], attrs: {} },
    { inputs: [{ shape: ["B", "T"] }, { shape: ["K", 2] }, { shape: [] }], attrs: {} },
    { inputs: [{ shape: [3], dtype: "int64", values: { below: 5 } }, { shape: ["B"] }], attrs: {} },
  ],
  skips: {
    "gradient of input 1": "only the order depends on it",
    "gradient of input 2": "only the order depends on it",
  },
};

/**
 * x, computed after `others` (tensors that are not empty). Bounds memory where tiles do not depend on each other:
 * the runtime may otherwise compute part of every tile before it finishes one.
 */
export function after(x: Tensor, others: readonly Tensor[]): Tensor {
  return others.length === 0 ? x : apply(afterOp, [x, ...others], {});
}
