/** @file Choice between two tensors by a condition. */
import { DTypeError } from "../../base/errors.js";
import { broadcastShapes } from "../dim.js";
import { mapReference } from "../reference.js";
import { apply, type OpDef, scalar, Tensor, type TensorLike } from "../tensor.js";

export const whereOp: OpDef<[Tensor, Tensor, Tensor]> = {
  name: "where",
  infer: ([condition, a, b]) => {
    if (condition.dtype !== "bool" || a.dtype !== b.dtype) {
      throw new DTypeError(`where: expected (bool, T, T), got (${condition.dtype}, ${a.dtype}, ${b.dtype})`);
    }
    const branches = broadcastShapes("where", a.shape, b.shape);
    return { dtype: a.dtype, shape: broadcastShapes("where", condition.shape, branches) };
  },
  gradient: (ct, { inputs: [condition] }) => [null, where(condition, ct, 0), where(condition, 0, ct)],
  lower: (b, [condition, x, y]) => b.node("Where", [condition, x, y]),
  evaluate: ([condition, a, b]) => mapReference(a.dtype, [condition, a, b], (c, x, y) => (c ? x! : y!)),
  samples: [
    { inputs: [{ shape: [2, 3], dtype: "bool", values: { below: 2 } }, { shape: [2, 3] }, { shape: [3] }], attrs: {} },
    { inputs: [{ shape: ["B", 1], dtype: "bool", values: { below: 2 } }, { shape: ["T"] }, { shape: [] }], attrs: {} },
  ],
};

/** a where `condition` holds, else b; all broadcast. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : "float32";
  const lift = (x: TensorLike): Tensor => (x instanceof Tensor ? x : scalar(x, dtype));
  return apply(whereOp, [condition, lift(a), lift(b)], {});
}
