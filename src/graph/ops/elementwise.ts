/** @file How elementwise ops are defined: one formula, its ONNX operator, and the derivative. */

import type { DType } from "../../base/dtype.js";
import { DTypeError } from "../../base/errors.js";
import { broadcastShapes } from "../dim.js";
import type { OnnxEmitter } from "../emitter.js";
import { onnxDType } from "../onnx-dtype.js";
import { mapReference, type Reference } from "../reference.js";
import { apply, type Differentiated, type OpDef, type Sample, scalar, Tensor, type TensorLike } from "../tensor.js";

type Pair = [Tensor, Tensor];

interface Unary {
  readonly name: string;
  /** ONNX operator of the default domain. */
  readonly onnx: string;
  readonly f: (x: number) => number;
  readonly gradient: ((ct: Tensor, node: Differentiated<[Tensor], object>) => Tensor) | "zero";
  /** Where the function is defined; "distinct" keeps values away from kinks. */
  readonly domain?: "normal" | "positive" | "distinct";
}

/** An op of one operand that keeps its shape and dtype. */
export function unaryOp({ name, onnx, f, gradient, domain = "normal" }: Unary): OpDef<[Tensor]> {
  return {
    name,
    infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
    gradient: gradient === "zero" ? "zero" : (ct, node) => [gradient(ct, node)],
    lower: (b, [x]) => b.node(onnx, [x]),
    evaluate: ([x]) => mapReference(x.dtype, [x], f),
    samples: [
      { inputs: [{ shape: [2, 3], values: domain }], attrs: {} },
      { inputs: [{ shape: ["B", "T"], values: domain }], attrs: {} },
      { inputs: [{ shape: [], values: domain }], attrs: {} },
    ],
  };
}

/** An int64 value as the device computes with it: WebGPU has no kernels for int64, and the CPU's results would be copied. */
export const narrowed = (b: OnnxEmitter, name: string): string =>
  b.device === "webgpu" ? b.node("Cast", [name], { to: onnxDType.int32 }) : name;

interface Binary {
  readonly name: string;
  readonly onnx: string;
  readonly f: (x: number, y: number) => number;
  readonly gradient: OpDef<Pair>["gradient"];
  /** dtype of the result; that of the operands unless given. */
  readonly dtype?: DType;
  readonly domain?: "normal" | "positive" | "distinct";
}

/** An op of two operands of one dtype that broadcast. */
export function binaryOp({ name, onnx, f, gradient, dtype, domain = "normal" }: Binary): OpDef<Pair> {
  const sample = (a: readonly (number | string)[], b: readonly (number | string)[]): Sample => ({
    inputs: [
      { shape: a, values: domain },
      { shape: b, values: domain },
    ],
    attrs: {},
  });
  return {
    name,
    infer: ([a, b]) => {
      if (a.dtype !== b.dtype) {
        throw new DTypeError(`${name}: operands have dtypes ${a.dtype} and ${b.dtype}; cast one of them`);
      }
      return { dtype: dtype ?? a.dtype, shape: broadcastShapes(name, a.shape, b.shape) };
    },
    gradient,
    lower: (b, names, _, { inputs: [left] }) =>
      // positions, ids and counts, which int32 holds; what is made of two is larger than either
      b.node(onnx, dtype === "bool" && left!.dtype === "int64" ? names.map((name) => narrowed(b, name)) : names),
    evaluate: ([a, b]: readonly [Reference, Reference]) => mapReference(dtype ?? a.dtype, [a, b], f),
    samples: [
      sample([2, 3], [2, 3]),
      sample([2, 1, 3], [4, 1]),
      sample([], [2, 3]),
      sample(["B", "T"], ["T"]),
      sample(["B", 1], ["B", "T"]),
    ],
  };
}

/** Applies a binary op; a number becomes a scalar of the other operand's dtype. */
export function applyBinary(op: OpDef<Pair>, a: TensorLike, b: TensorLike): Tensor {
  const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : "float32";
  const lift = (x: TensorLike): Tensor => (x instanceof Tensor ? x : scalar(x, dtype));
  return apply(op, [lift(a), lift(b)], {});
}
