/** @file Dropout whose mask is a hash of a seed and the position, so that a recomputed mask is the same mask. */
import { UnsupportedError } from "../../base/errors.js";
import { sizeOf } from "../../base/host-tensor.js";
import { shapeSize } from "../dim.js";
import type { OnnxEmitter } from "../emitter.js";
import { reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";

export interface DropoutAttrs {
  /** Share of elements set to zero, in [0, 1). */
  readonly rate: number;
  /** Tells apart masks drawn from one seed. */
  readonly salt: number;
}

/** Odd multipliers below 2^31 (so that they are int32 constants) of a multiply-xorshift hash. */
const MULTIPLIERS = [0x2c1b3c6d, 0x297a2d39] as const;
const STEP = 0x1e3779b1;

function hash(position: number, seed: number, salt: number): number {
  let h = (Math.imul(position, STEP) + (seed ^ salt)) | 0;
  h = Math.imul(h ^ (h >>> 16), MULTIPLIERS[0]);
  h = Math.imul(h ^ (h >>> 15), MULTIPLIERS[1]);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Emits x ^ (x >>> bits) on int32 values. */
function xorShift(b: OnnxEmitter, x: string, bits: number): string {
  const unsigned = b.node("Cast", [x], { to: 12 });
  const shifted = b.node("BitShift", [unsigned, b.scalar(bits, "uint32")], { direction: "RIGHT" });
  return b.node("BitwiseXor", [x, b.node("Cast", [shifted], { to: 6 })]);
}

export const dropoutOp: OpDef<[Tensor, Tensor], DropoutAttrs> = {
  name: "dropout",
  infer: ([x], { rate }) => {
    if (!(rate >= 0 && rate < 1)) throw new UnsupportedError(`dropout: rate must be in [0, 1), got ${rate}`);
    if (typeof shapeSize(x.shape) !== "number") {
      throw new UnsupportedError(`dropout: needs known sizes, got shape [${x.shape}]; training programs have them`);
    }
    return { dtype: x.dtype, shape: x.shape };
  },
  gradient: (ct, { inputs: [, seed], attrs }) => [dropout(ct, seed, attrs), null],
  lower: (b, [x, seed], { rate, salt }, node) => {
    const shape = node.inputs[0]!.shape as readonly number[];
    const ramp = Int32Array.from({ length: sizeOf(shape) }, (_, i) => Math.imul(i, STEP));
    const start = b.node("BitwiseXor", [seed, b.scalar(salt | 0, "int32")]);
    let h = b.node("Add", [b.constant({ dtype: "int32", shape, data: ramp }), start]);
    h = b.node("Mul", [xorShift(b, h, 16), b.scalar(MULTIPLIERS[0], "int32")]);
    h = b.node("Mul", [xorShift(b, h, 15), b.scalar(MULTIPLIERS[1], "int32")]);
    const kept = b.node("GreaterOrEqual", [
      b.node("Cast", [xorShift(b, h, 16)], { to: 12 }),
      b.scalar(threshold(rate), "uint32"),
    ]);
    const scale = b.node("Where", [kept, b.scalar(1 / (1 - rate), "float32"), b.scalar(0, "float32")]);
    return b.node("Mul", [x, scale]);
  },
  evaluate: ([x, seed], { rate, salt }) => {
    const scale = 1 / (1 - rate);
    const data = x.data.map((v, i) => (hash(i, seed.data[0]!, salt) >= threshold(rate) ? v * scale : 0));
    return reference(x.dtype, x.shape, data);
  },
  samples: [
    { inputs: [{ shape: [4, 8] }, { shape: [], dtype: "int32", values: [7] }], attrs: { rate: 0.5, salt: 3 } },
    {
      inputs: [{ shape: [3, 2, 5] }, { shape: [], dtype: "int32", values: [-123456] }],
      attrs: { rate: 0.1, salt: 0x7fffffff },
    },
  ],
  skips: { "named dims": "the mask is drawn for known sizes" },
};

const threshold = (rate: number): number => Math.floor(rate * 2 ** 32);

/**
 * x with a share `rate` of its elements set to zero and the rest scaled by 1 / (1 - rate) (Srivastava et al. 2014).
 * The mask depends on `seed` (int32 scalar), `salt` and the position alone. x must have known sizes.
 */
export function dropout(x: Tensor, seed: Tensor, attrs: DropoutAttrs): Tensor {
  return attrs.rate === 0 ? x : apply(dropoutOp, [x, seed], attrs);
}
