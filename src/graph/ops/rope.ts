/** @file Rotary position embedding (Su et al. 2021, arXiv:2104.09864, eq. 34), one fused kernel. */
import { ShapeError } from "../../base/errors.js";
import { MICROSOFT } from "../emitter.js";
import { reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { neg } from "./neg.js";

export interface RopeAttrs {
  /** Rotate neighbouring pairs (0,1), (2,3), …; otherwise the two halves of a head. */
  readonly interleaved: boolean;
  /** Heads in x, where only the first dims of each are rotated; otherwise the tables are as wide as half a head. */
  readonly numHeads?: number;
}

/** Size of a head, of which the first `2 · half` dims are rotated. */
function headDimOf(width: number, half: number, { numHeads }: RopeAttrs): number {
  return numHeads === undefined ? 2 * half : width / numHeads;
}

export const ropeOp: OpDef<[Tensor, Tensor, Tensor, Tensor], RopeAttrs> = {
  name: "rope",
  infer: ([x, positions, cos, sin], attrs) => {
    const half = cos.shape.at(-1);
    const width = x.shape.at(-1);
    const headDim = typeof half === "number" && typeof width === "number" ? headDimOf(width, half, attrs) : 0;
    const fits = headDim >= 2 * Number(half) && Number.isInteger(headDim) && Number(width) % headDim === 0;
    if (x.shape.length !== 3 || positions.shape.length !== 2 || !fits || sin.shape.at(-1) !== half) {
      throw new ShapeError(
        `rope: expected x [B, T, heads * C], positions [B, T], cos and sin [M, C/2]; got [${x.shape}], [${positions.shape}], [${cos.shape}], [${sin.shape}]`,
      );
    }
    return { dtype: x.dtype, shape: x.shape };
  },
  // a rotation's transpose is the rotation back
  gradient: (ct, { inputs: [, positions, cos, sin], attrs }) => [
    rope(ct, positions, cos, neg(sin), attrs),
    null,
    null,
    null,
  ],
  lower: (b, [x, positions, cos, sin], { interleaved, numHeads }, node) => {
    const partial = numHeads !== undefined && {
      num_heads: numHeads,
      rotary_embedding_dim: 2 * Number(node.inputs[2]!.shape.at(-1)),
    };
    const attributes = { interleaved: Number(interleaved), ...partial };
    return b.node("RotaryEmbedding", [x, positions, cos, sin], attributes, { domain: MICROSOFT });
  },
  evaluate: ([x, positions, cos, sin], attrs) => {
    const { interleaved } = attrs;
    const half = cos.shape[1]!;
    const width = x.shape[2]!;
    const headDim = headDimOf(width, half, attrs);
    const out = reference(x.dtype, x.shape);
    for (let i = 0; i < x.data.length; i++) {
      const within = i % headDim;
      const base = i - within;
      if (within >= 2 * half) {
        out.data[i] = x.data[i]!;
        continue;
      }
      const pair = interleaved ? within >> 1 : within % half;
      const isFirst = interleaved ? within % 2 === 0 : within < half;
      const at = positions.data[Math.floor(i / width)]! * half + pair;
      const [first, second] = interleaved ? [base + 2 * pair, base + 2 * pair + 1] : [base + pair, base + pair + half];
      const [c, s] = [cos.data[at]!, sin.data[at]!];
      out.data[i] = isFirst ? x.data[first]! * c - x.data[second]! * s : x.data[second]! * c + x.data[first]! * s;
    }
    return out;
  },
  samples: [
    { interleaved: false },
    { interleaved: true },
    { interleaved: false, numHeads: 1 },
    { interleaved: true, numHeads: 1 },
  ].map((attrs) => ({
    inputs: [
      { shape: ["B", "T", 8] },
      { shape: ["B", "T"], dtype: "int64" as const, values: { below: 5 } },
      { shape: [5, 2] },
      { shape: [5, 2] },
    ],
    attrs,
  })),
  skips: {
    "gradient of input 2": "cos and sin are tables, not parameters",
    "gradient of input 3": "cos and sin are tables, not parameters",
  },
};

/**
 * x [B, T, heads·C], positions [B, T] int64, cos and sin [M, C/2] → [B, T, heads·C]. Positions must be below M. Tables
 * of fewer columns rotate the first dims of each head and need `numHeads`.
 */
export function rope(x: Tensor, positions: Tensor, cos: Tensor, sin: Tensor, attrs: RopeAttrs): Tensor {
  return apply(ropeOp, [x, positions, cos, sin], attrs);
}
