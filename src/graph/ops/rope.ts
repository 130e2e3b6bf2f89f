/** @file Rotary position embedding (Su et al. 2021, arXiv:2104.09864, eq. 34), one fused kernel. */
import { ShapeError } from "../../base/errors.js";
import { MICROSOFT } from "../emitter.js";
import { reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { neg } from "./neg.js";

export interface RopeAttrs {
  /** Rotate neighbouring pairs (0,1), (2,3), …; otherwise the two halves of a head. */
  readonly interleaved: boolean;
}

export const ropeOp: OpDef<[Tensor, Tensor, Tensor, Tensor], RopeAttrs> = {
  name: "rope",
  infer: ([x, positions, cos, sin]) => {
    const half = cos.shape.at(-1);
    const width = x.shape.at(-1);
    const fits = typeof half === "number" && typeof width === "number" && width % (2 * half) === 0;
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
  lower: (b, [x, positions, cos, sin], { interleaved }) =>
    b.node("RotaryEmbedding", [x, positions, cos, sin], { interleaved: Number(interleaved) }, { domain: MICROSOFT }),
  evaluate: ([x, positions, cos, sin], { interleaved }) => {
    const half = cos.shape[1]!;
    const width = x.shape[2]!;
    const out = reference(x.dtype, x.shape);
    for (let i = 0; i < x.data.length; i++) {
      const within = i % (2 * half);
      const base = i - within;
      const pair = interleaved ? within >> 1 : within % half;
      const isFirst = interleaved ? within % 2 === 0 : within < half;
      const at = positions.data[Math.floor(i / width)]! * half + pair;
      const [first, second] = interleaved ? [base + 2 * pair, base + 2 * pair + 1] : [base + pair, base + pair + half];
      const [c, s] = [cos.data[at]!, sin.data[at]!];
      out.data[i] = isFirst ? x.data[first]! * c - x.data[second]! * s : x.data[second]! * c + x.data[first]! * s;
    }
    return out;
  },
  samples: [false, true].map((interleaved) => ({
    inputs: [
      { shape: ["B", "T", 8] },
      { shape: ["B", "T"], dtype: "int64" as const, values: { below: 5 } },
      { shape: [5, 2] },
      { shape: [5, 2] },
    ],
    attrs: { interleaved },
  })),
  skips: {
    "gradient of input 2": "cos and sin are tables, not parameters",
    "gradient of input 3": "cos and sin are tables, not parameters",
  },
};

/** x [B, T, heads·C], positions [B, T] int64, cos and sin [M, C/2] → [B, T, heads·C]. Positions must be below M. */
export function rope(x: Tensor, positions: Tensor, cos: Tensor, sin: Tensor, { interleaved }: RopeAttrs): Tensor {
  return apply(ropeOp, [x, positions, cos, sin], { interleaved });
}
