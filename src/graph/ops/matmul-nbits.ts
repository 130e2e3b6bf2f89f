/** @file Products with weights of 4 or 8 bits, scaled by block. */
import { ShapeError } from "../../base/errors.js";
import { MICROSOFT } from "../emitter.js";
import { reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";

export interface MatmulNBitsAttrs {
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly bits: 4 | 8;
  /** Weights per scale, along the input axis. */
  readonly blockSize: number;
  /** Round activations to 8 bits by block too: the fast kernel. Without it products are in float32. */
  readonly quantizeActivations: boolean;
}

export const matmulNBitsOp: OpDef<[Tensor, Tensor, Tensor], MatmulNBitsAttrs> = {
  name: "matmul_nbits",
  infer: ([x, packed, scales], { outFeatures, inFeatures, bits, blockSize }) => {
    const blocks = Math.ceil(inFeatures / blockSize);
    const expected = [outFeatures, blocks, (blockSize * bits) / 8];
    if (
      x.shape.at(-1) !== inFeatures ||
      `${packed.shape}` !== `${expected}` ||
      scales.shape[0] !== outFeatures * blocks
    ) {
      throw new ShapeError(
        `matmul_nbits: expected x [..., ${inFeatures}], weights [${expected}] and ${outFeatures * blocks} scales, got [${x.shape}], [${packed.shape}] and [${scales.shape}]`,
      );
    }
    return { dtype: x.dtype, shape: [...x.shape.slice(0, -1), outFeatures] };
  },
  gradient: "forbidden",
  lower: (b, [x, packed, scales], { outFeatures, inFeatures, bits, blockSize, quantizeActivations }) => {
    const attributes = {
      N: outFeatures,
      K: inFeatures,
      bits,
      block_size: blockSize,
      accuracy_level: quantizeActivations ? 4 : 1,
    };
    return b.node("MatMulNBits", [x, packed, scales], attributes, { domain: MICROSOFT });
  },
  evaluate: ([x, packed, scales], { outFeatures, inFeatures, bits, blockSize }) => {
    const blocks = Math.ceil(inFeatures / blockSize);
    const zero = 2 ** (bits - 1);
    const weight = (n: number, k: number): number => {
      const at = n * blocks * blockSize + k;
      const byte = packed.data[bits === 8 ? at : at >> 1]!;
      const level = bits === 8 ? byte : at % 2 === 0 ? byte & 15 : byte >> 4;
      return (level - zero) * scales.data[n * blocks + Math.floor(k / blockSize)]!;
    };
    const out = reference(x.dtype, [...x.shape.slice(0, -1), outFeatures]);
    for (let i = 0; i < out.data.length; i++) {
      const [row, n] = [Math.floor(i / outFeatures), i % outFeatures];
      for (let k = 0; k < inFeatures; k++) out.data[i]! += x.data[row * inFeatures + k]! * weight(n, k);
    }
    return out;
  },
  samples: ([4, 8] as const).map((bits) => ({
    inputs: [
      { shape: ["B", "T", 64] },
      { shape: [3, 2, (32 * bits) / 8], dtype: "uint8" as const, values: { below: 256 } },
      { shape: [6], values: "positive" as const },
    ],
    attrs: { outFeatures: 3, inFeatures: 64, bits, blockSize: 32, quantizeActivations: false },
  })),
};

/**
 * x [..., in] → [..., out] with weights (level - 2^(bits-1)) · scale. `packed` [out, blocks, blockSize·bits/8] uint8, low
 * nibble first; `scales` [out·blocks] float32. Both should be constants: the kernel prepares them once.
 */
export function matmulNBits(x: Tensor, packed: Tensor, scales: Tensor, attrs: MatmulNBitsAttrs): Tensor {
  return apply(matmulNBitsOp, [x, packed, scales], attrs);
}
