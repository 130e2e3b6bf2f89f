/** @file A matrix rounded to the values that 4 or 8 bits per weight can stand for, with a gradient as if it were not. */
import { ShapeError } from "../../base/errors.js";
import { byteSize } from "../../base/host-tensor.js";
import type { Shape } from "../dim.js";
import { reference } from "../reference.js";
import { apply, type OpDef, scalar, type Tensor } from "../tensor.js";

export interface FakeQuantizeAttrs {
  readonly bits: 4 | 8;
  /** Weights per scale. */
  readonly blockSize: number;
  /** Axis along which blocks lie: the input's, 1 of a matrix [out, in] and 0 of one stored [in, out]. */
  readonly axis: 0 | 1;
}

export const fakeQuantizeOp: OpDef<[Tensor, Tensor], FakeQuantizeAttrs> = {
  name: "fake_quantize",
  infer: ([w, one], { axis }) => {
    if (w.dtype !== "float32" || w.shape.length !== 2 || typeof w.shape[axis] !== "number" || one.shape.length !== 0)
      throw new ShapeError(
        `fake_quantize: expected a float32 matrix of known size along axis ${axis} and a scalar, got ${w.dtype}[${w.shape}] and [${one.shape}]`,
      );
    return { dtype: "float32", shape: w.shape };
  },
  // straight-through: rounding is flat almost everywhere, and nothing would be learned by its true gradient
  gradient: (ct) => [ct, null],
  isCheapToRead: true,
  // two of quotient, level and product are alive at once
  scratchBytes: ([w]) => byteSize("float32", w.shape as readonly number[]),
  lower: (b, [w, one], attrs, node) => {
    const { bits, blockSize, axis } = attrs;
    const { size, blocks, padding } = sizes(node.inputs[0]!.shape, attrs);
    const padded = padding === 0 ? w : b.node("Pad", [w, b.ints(axis === 1 ? [0, 0, 0, padding] : [0, 0, padding, 0])]);
    const inBlocks = b.node("Reshape", [
      padded,
      b.ints(axis === 1 ? [-1, blocks, blockSize] : [blocks, blockSize, -1]),
    ]);
    const extreme = (opType: string): string => b.node(opType, [inBlocks, b.ints([axis + 1])], { keepdims: 1 });
    const [most, least] = [extreme("ReduceMax"), extreme("ReduceMin")];
    const opposite = b.node("Neg", [least]);
    const largest = b.node("Where", [b.node("GreaterOrEqual", [most, opposite]), most, least]);
    const scale = b.node("Div", [largest, b.scalar(divisor(bits), "float32")]);
    const isZero = b.node("Equal", [scale, b.scalar(0, "float32")]);
    const used = b.node("Where", [isZero, one, scale]);
    const rounded = b.node("Round", [b.node("Div", [inBlocks, used])]);
    const level = bits === 8 ? rounded : b.node("Clip", [rounded, b.scalar(-8, "float32"), b.scalar(7, "float32")]);
    const padSize = blocks * blockSize;
    const flat = b.node("Reshape", [b.node("Mul", [level, used]), b.ints(axis === 1 ? [-1, padSize] : [padSize, -1])]);
    return padding === 0 ? flat : b.node("Slice", [flat, b.ints([0]), b.ints([size]), b.ints([axis])]);
  },
  evaluate: ([w], attrs) => {
    const { bits, blockSize, axis } = attrs;
    const [rows, columns] = w.shape as readonly [number, number];
    const { size, blocks } = sizes(w.shape, attrs);
    const out = reference(w.dtype, w.shape);
    const at = (line: number, i: number): number => (axis === 1 ? line * columns + i : i * columns + line);
    for (let line = 0; line < (axis === 1 ? rows : columns); line++) {
      for (let block = 0; block < blocks; block++) {
        const places = Array.from({ length: Math.min(blockSize, size - block * blockSize) }, (_, i) =>
          at(line, block * blockSize + i),
        );
        const values = places.map((place) => w.data[place]!);
        const [most, least] = [Math.max(...values), Math.min(...values)];
        const scale = Math.fround((most >= -least ? most : least) / divisor(bits)) || 1;
        for (const [i, place] of places.entries()) {
          const level = roundHalfEven(Math.fround(values[i]! / scale));
          out.data[place] = Math.min(level, bits === 8 ? 127 : 7) * scale;
        }
      }
    }
    return out;
  },
  samples: ([4, 8] as const).flatMap((bits) => [
    { inputs: [{ shape: ["B", 64] }, { shape: [], values: [1] }], attrs: { bits, blockSize: 32, axis: 1 as const } },
    { inputs: [{ shape: [5, 40] }, { shape: [], values: [1] }], attrs: { bits, blockSize: 32, axis: 1 as const } },
    { inputs: [{ shape: [40, "T"] }, { shape: [], values: [1] }], attrs: { bits, blockSize: 32, axis: 0 as const } },
    {
      // a block of zeros, and one whose extremes are equal
      inputs: [
        { shape: [2, 4], values: [0, 0, 0, 0, 1, -1, 0.25, 0.0625] },
        { shape: [], values: [1] },
      ],
      attrs: { bits, blockSize: 32, axis: 1 as const },
    },
  ]),
  skips: {
    "gradient of input 0":
      "straight through: that of the matrix before it is rounded (Bengio et al. 2013, arXiv:1308.3432)",
    "gradient of input 1": "only the order depends on it",
  },
};

/** The level of the value of largest magnitude; of 4 bits its side has one more than the other. */
const divisor = (bits: 4 | 8): number => (bits === 8 ? 127 : -8);

function sizes(
  shape: Shape,
  { blockSize, axis }: FakeQuantizeAttrs,
): { size: number; blocks: number; padding: number } {
  const size = shape[axis] as number;
  const blocks = Math.ceil(size / blockSize);
  return { size, blocks, padding: blocks * blockSize - size };
}

/** As ONNX's Round. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * w rounded by blocks along an axis as `quantizeBlockwise` packs it, bit for bit, and float32 again. The gradient passes
 * straight through (LLM-QAT, Liu et al. 2023, arXiv:2305.17888, section 3.2). w [rows, columns], float32.
 * @throws ShapeError for anything but a float32 matrix whose size along the axis is a number.
 */
export function fakeQuantize(w: Tensor, attrs: FakeQuantizeAttrs): Tensor {
  // the scale of blocks of zeros is an operand, since `readLate` ties a matrix to its reader by a scalar
  return apply(fakeQuantizeOp, [w, scalar(1)], attrs);
}
