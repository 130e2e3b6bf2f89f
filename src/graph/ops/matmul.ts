/** @file Matrix products, transposed and scaled on the way. */
import { ShapeError } from "../../base/errors.js";
import { broadcastShapes, type Dim, mulDims, type Shape } from "../dim.js";
import { MICROSOFT, type OnnxEmitter } from "../emitter.js";
import { broadcastReference, type Reference, reference } from "../reference.js";
import { type Aval, apply, type OpDef, type Tensor } from "../tensor.js";
import { reshape } from "./reshape.js";

export interface MatmulAttrs {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly scale: number;
}

const lastTwo = ({ shape }: Aval, transposed: boolean): [Dim, Dim] =>
  transposed ? [shape.at(-1)!, shape.at(-2)!] : [shape.at(-2)!, shape.at(-1)!];

export const matmulOp: OpDef<[Tensor, Tensor], MatmulAttrs> = {
  name: "matmul",
  infer: ([a, b], { transA, transB }) => {
    const shown = `[${a.shape}]${transA ? "ᵀ" : ""} @ [${b.shape}]${transB ? "ᵀ" : ""}`;
    if (a.shape.length < 2 || b.shape.length < 2)
      throw new ShapeError(`matmul: operands need two axes or more: ${shown}`);
    const [m, inner] = lastTwo(a, transA);
    const [k, n] = lastTwo(b, transB);
    if (inner !== k)
      throw new ShapeError(`matmul: inner axes ${inner} and ${k} differ: ${shown}; pass transA or transB?`);
    return { dtype: a.dtype, shape: [...broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n] };
  },
  gradient: (ct, { inputs: [a, b], attrs: { transA, transB, scale } }) => {
    // a weight shared by all rows: one product over the flattened rows instead of a batch of them and a sum
    if (b.rank === 2 && a.rank > 2 && !transA) {
      const [rows, gradient] = [flatten(a), flatten(ct)];
      const db = transB
        ? matmul(gradient, rows, { transA: true, scale })
        : matmul(rows, gradient, { transA: true, scale });
      return [matmul(ct, b, { transB: !transB, scale }), db];
    }
    return [
      transA ? matmul(b, ct, { transA: transB, transB: true, scale }) : matmul(ct, b, { transB: !transB, scale }),
      transB ? matmul(ct, a, { transA: true, transB: transA, scale }) : matmul(a, ct, { transA: !transA, scale }),
    ];
  },
  lower: (b, names, attrs, { inputs }) => product(b, names, attrs, inputs),
  evaluate: ([a, b], attrs) => matmulReference(a, b, attrs),
  flopsPerElement: ([a], { transA }) => {
    const inner = lastTwo(a, transA)[1];
    return typeof inner === "number" ? 2 * inner : Number.POSITIVE_INFINITY;
  },
  samples: [
    { inputs: [{ shape: [2, 3] }, { shape: [3, 4] }], attrs: { transA: false, transB: false, scale: 1 } },
    { inputs: [{ shape: [3, 2] }, { shape: [4, 3] }], attrs: { transA: true, transB: true, scale: 0.5 } },
    { inputs: [{ shape: ["B", "T", 3] }, { shape: [4, 3] }], attrs: { transA: false, transB: true, scale: 1 } },
    { inputs: [{ shape: ["B", "T", 3] }, { shape: [3, 4] }], attrs: { transA: false, transB: false, scale: 2 } },
    {
      inputs: [{ shape: ["B", 2, "T", 4] }, { shape: ["B", 1, "K", 4] }],
      attrs: { transA: false, transB: true, scale: 0.5 },
    },
    { inputs: [{ shape: ["B", 3, "T"] }, { shape: ["B", 3, 2] }], attrs: { transA: true, transB: false, scale: 1 } },
    { inputs: [{ shape: ["B", 3, "T"] }, { shape: [2, 3] }], attrs: { transA: true, transB: true, scale: 1 } },
    { inputs: [{ shape: [1, 12] }, { shape: [12, 1] }], attrs: { transA: false, transB: false, scale: 1 } },
    { inputs: [{ shape: [1, 1, 3] }, { shape: [3, 1] }], attrs: { transA: false, transB: false, scale: 1 } },
  ],
};

/** Operators of a product of two values. */
export function product(
  b: OnnxEmitter,
  [x, y]: readonly [string, string],
  { transA, transB, scale }: MatmulAttrs,
  [left, right]: readonly Aval[],
): string {
  const areMatrices = left!.shape.length === 2 && right!.shape.length === 2;
  if (!transA && !transB && scale === 1) {
    const [rows, size] = left!.shape;
    const isDot = areMatrices && rows === 1 && right!.shape[1] === 1 && typeof size === "number";
    return isDot && b.device !== "cpu" ? dotProduct(b, [x, y], size) : b.node("MatMul", [x, y]);
  }
  const attributes = { transA: Number(transA), transB: Number(transB), alpha: { float: scale } };
  if (b.device === "cpu") return b.node("FusedMatMul", [x, y], attributes, { domain: MICROSOFT });
  if (areMatrices) return b.node("Gemm", [x, y], attributes);
  const plain = b.node("MatMul", [transA ? turned(b, x, left!) : x, transB ? turned(b, y, right!) : y]);
  return scale === 1 ? plain : b.node("Mul", [plain, b.scalar(scale, left!.dtype)]);
}

/** [1, K] @ [K, 1]: the sum in two stages, as a single element of a product is one thread's work on a GPU. */
function dotProduct(b: OnnxEmitter, names: readonly string[], size: number): string {
  let width = Math.ceil(Math.sqrt(size));
  while (size % width !== 0) width--;
  const [x, y] = names.map((name) => b.node("Reshape", [name, b.ints([size / width, width])]));
  const partial = b.node("ReduceSum", [b.node("Mul", [x!, y!]), b.ints([1])], { keepdims: 1 });
  return b.node("ReduceSum", [partial, b.ints([0])], { keepdims: 1 });
}

/** The last two axes swapped. */
function turned(b: OnnxEmitter, name: string, { shape: { length } }: Aval): string {
  const leading = Array.from({ length: length - 2 }, (_, i) => i);
  return b.node("Transpose", [name], { perm: [...leading, length - 1, length - 2] });
}

/** [..., K] → [N, K] with all leading axes as one. */
function flatten(x: Tensor): Tensor {
  return reshape(x, [x.shape.slice(0, -1).reduce<Dim>(mulDims, 1), x.shape.at(-1)!]);
}

function matmulReference(a: Reference, b: Reference, { transA, transB, scale }: MatmulAttrs): Reference {
  const [m, k] = lastTwo(a, transA) as [number, number];
  const n = lastTwo(b, transB)[1] as number;
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2)) as number[];
  const stretch = (x: Reference): Float64Array =>
    broadcastReference(x, [...batch, x.shape.at(-2)!, x.shape.at(-1)!]).data;
  const [p, q] = [stretch(a), stretch(b)];
  const out = reference(a.dtype, [...batch, m, n]);
  for (let i = 0; i < out.data.length; i++) {
    const [col, row, at] = [i % n, Math.floor(i / n) % m, Math.floor(i / (m * n))];
    let sum = 0;
    for (let j = 0; j < k; j++) {
      const x = p[at * m * k + (transA ? j * m + row : row * k + j)]!;
      sum += x * q[at * k * n + (transB ? col * k + j : j * n + col)]!;
    }
    out.data[i] = scale * sum;
  }
  return out;
}

export interface MatmulOptions {
  /** Swap the last two axes of a. Default false. */
  readonly transA?: boolean;
  /** Swap the last two axes of b. Default false. */
  readonly transB?: boolean;
  /** Factor on the product. Default 1. */
  readonly scale?: number;
}

/**
 * a [..., M, K] @ b [..., K, N] → [..., M, N]; leading axes broadcast.
 * @throws ShapeError when the inner axes differ.
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transA = false, transB = false, scale = 1 }: MatmulOptions = {},
): Tensor {
  return apply(matmulOp, [a, b], { transA, transB, scale });
}

/** The shape of a linear map's result: x's with the last axis replaced. */
export function withLastAxis(shape: Shape, size: Dim): Shape {
  return [...shape.slice(0, -1), size];
}
