/** @file The same elements in another shape. */
import { ShapeError } from "../../base/errors.js";
import { evaluateShape, type Shape, sameShape, shapeSize } from "../dim.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";

export const reshapeOp: OpDef<[Tensor], { readonly shape: Shape }> = {
  name: "reshape",
  infer: ([x], { shape }) => {
    if (shapeSize(x.shape) !== shapeSize(shape)) {
      throw new ShapeError(
        `reshape: [${x.shape}] has ${shapeSize(x.shape)} elements, but [${shape}] has ${shapeSize(shape)}`,
      );
    }
    return { dtype: x.dtype, shape };
  },
  gradient: (ct, { inputs: [x] }) => [reshape(ct, x.shape)],
  lower: (b, [x], { shape }) => {
    const named = shape.filter((dim) => typeof dim === "string");
    // ONNX infers one size on its own; only more named dims need to be computed
    if (named.length > 1) return b.node("Reshape", [x, b.shape(shape)]);
    return b.node("Reshape", [x, b.ints(shape.map((dim) => (typeof dim === "string" ? -1 : dim)))]);
  },
  evaluate: ([x], { shape }, dims) => ({ ...x, shape: evaluateShape(shape, dims) }),
  samples: [
    { inputs: [{ shape: [2, 6] }], attrs: { shape: [3, 4] } },
    { inputs: [{ shape: [] }], attrs: { shape: [1, 1] } },
    { inputs: [{ shape: ["B", "T", 4] }], attrs: { shape: ["B*T", 4] } },
    { inputs: [{ shape: ["B", "T", 4] }], attrs: { shape: ["T", 2, "B", 2] } },
  ],
};

/**
 * x with another shape of the same size, row-major order kept.
 * @throws ShapeError when the sizes differ; named dims must cancel exactly.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply(reshapeOp, [x], { shape });
}
