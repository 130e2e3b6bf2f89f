/** @file Conversion of element type. */
import { type DType, isFloat } from "../../base/dtype.js";
import { onnxDType } from "../onnx-dtype.js";
import { mapReference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";

export const castOp: OpDef<[Tensor], { readonly dtype: DType }> = {
  name: "cast",
  infer: ([x], { dtype }) => ({ dtype, shape: x.shape }),
  gradient: (ct, { inputs: [x] }) => [isFloat(x.dtype) ? cast(ct, x.dtype) : null],
  isCheapToRead: true,
  lower: (b, [x], { dtype }) => b.node("Cast", [x], { to: onnxDType[dtype] }),
  evaluate: ([x], { dtype }) =>
    mapReference(dtype, [x], (v) => (dtype === "bool" ? Number(v !== 0) : isFloat(dtype) ? v : Math.trunc(v))),
  samples: [
    { inputs: [{ shape: ["B", 3] }], attrs: { dtype: "float64" } },
    { inputs: [{ shape: [2, 3], dtype: "int64", values: { below: 9 } }], attrs: { dtype: "float32" } },
    { inputs: [{ shape: [4], dtype: "bool", values: { below: 2 } }], attrs: { dtype: "float32" } },
    { inputs: [{ shape: [4] }], attrs: { dtype: "int32" } },
  ],
};

/** x converted to `dtype`; floats become integers by truncation. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply(castOp, [x], { dtype });
}
