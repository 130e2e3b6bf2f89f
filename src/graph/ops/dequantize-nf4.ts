/** @file Values of a matrix in NF4 with double quantisation (QLoRA, Dettmers et al. 2023, arXiv:2305.14314, section 3). */
import { dynamicCodes } from "../../base/dynamic-codes.js";
import { ShapeError } from "../../base/errors.js";
import { hostTensor, sizeOf } from "../../base/host-tensor.js";
import { MICROSOFT } from "../emitter.js";
import { onnxDType } from "../onnx-dtype.js";
import { reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";

/** Weights per scale, and scales per scale of scales. */
export const NF4_BLOCK = 64;
export const NF4_NESTED_BLOCK = 256;

/** The code book: quantiles of the normal distribution scaled to ±1, 0 among them (appendix E). */
export const NF4_CODES: readonly number[] = [
  -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
];

/** Sizes of what stands for so many weights. */
export function nf4Sizes(count: number): { readonly packed: number; readonly blocks: number; readonly nested: number } {
  const blocks = Math.ceil(count / NF4_BLOCK);
  return { packed: Math.ceil(count / 2), blocks, nested: Math.ceil(blocks / NF4_NESTED_BLOCK) };
}

export interface DequantizeNf4Attrs {
  readonly shape: readonly number[];
}

export const dequantizeNf4Op: OpDef<[Tensor, Tensor, Tensor, Tensor], DequantizeNf4Attrs> = {
  name: "dequantize_nf4",
  infer: ([packed, absmax, nestedAbsmax, offset], { shape }) => {
    const sizes = nf4Sizes(sizeOf(shape));
    const expected = [[sizes.packed], [sizes.blocks], [sizes.nested], []];
    const actual = [packed, absmax, nestedAbsmax, offset].map((part) => part.shape);
    if (expected.some((size, i) => `${size}` !== `${actual[i]}`)) {
      throw new ShapeError(
        `dequantize_nf4: a matrix [${shape}] has codes, scales, their scales and an offset of shapes ${show(expected)}, got ${show(actual)}`,
      );
    }
    return { dtype: "float32", shape };
  },
  gradient: "forbidden",
  isCheapToRead: true,
  // the kernel unpacks its whole operand before the product
  scratchBytes: (_, { shape }) => 4 * sizeOf(shape),
  lower: (b, [packed, absmax, nestedAbsmax, offset], { shape }) => {
    const count = sizeOf(shape);
    const { blocks, nested } = nf4Sizes(count);
    const codes = b.constant(hostTensor("float32", [256], dynamicCodes(true)));
    const decoded = b.node("Gather", [codes, b.node("Cast", [absmax], { to: onnxDType.int32 })], { axis: 0 });
    const padding = b.ints([0, nested * NF4_NESTED_BLOCK - blocks]);
    const rows = b.node("Reshape", [b.node("Pad", [decoded, padding]), b.ints([nested, NF4_NESTED_BLOCK])]);
    const factors = b.node("Reshape", [nestedAbsmax, b.ints([nested, 1])]);
    const scales = b.node("Add", [b.node("Mul", [rows, factors]), offset]);
    const used = b.node("Slice", [b.node("Reshape", [scales, b.ints([-1])]), b.ints([0]), b.ints([blocks])]);
    // the one kernel that looks NF4 codes up is that of a product: 1 times a column of all weights gives them, and at once
    // (0.9 million in 1.2 ms; a Gather of pairs from a table of 256 takes 6 to 14)
    const one = b.constant(hostTensor("float32", [1, 1], Float32Array.of(1)));
    const attributes = { K: 1, N: count, block_size: NF4_BLOCK, quant_type: NF4_TYPE };
    const flat = b.node("MatMulBnb4", [one, packed, used], attributes, { domain: MICROSOFT });
    return b.node("Reshape", [flat, b.ints(shape)]);
  },
  evaluate: ([packed, absmax, nestedAbsmax, offset], { shape }) => {
    const codes = dynamicCodes(true);
    const out = reference("float32", shape);
    for (let i = 0; i < out.data.length; i++) {
      const block = Math.floor(i / NF4_BLOCK);
      const nested = nestedAbsmax.data[Math.floor(block / NF4_NESTED_BLOCK)]!;
      const byte = packed.data[i >> 1]!;
      const code = NF4_CODES[i % 2 === 0 ? byte >> 4 : byte & 15]!;
      out.data[i] = code * (codes[absmax.data[block]!]! * nested + offset.data[0]!);
    }
    return out;
  },
  samples: [
    [3, 64],
    [5, 30],
    [200, 96],
  ].map((shape) => {
    const sizes = nf4Sizes(sizeOf(shape));
    return {
      inputs: [
        { shape: [sizes.packed], dtype: "uint8" as const, values: { below: 256 } },
        { shape: [sizes.blocks], dtype: "uint8" as const, values: { below: 256 } },
        { shape: [sizes.nested], values: "positive" as const },
        { shape: [], values: "positive" as const },
      ],
      attrs: { shape },
    };
  }),
  skips: { "named dims": "a packed matrix has a size of its own" },
};

/** What the kernel calls NF4. */
const NF4_TYPE = 1;

const show = (shapes: readonly (readonly unknown[])[]): string => shapes.map((shape) => `[${shape}]`).join(", ");

/**
 * The matrix that packed parts stand for: code · (dynamic code of the block's scale · scale of 256 scales + offset).
 * packed [⌈n/2⌉] uint8, the first code in the high half; absmax [⌈n/64⌉] uint8; nestedAbsmax [⌈n/16384⌉]; offset []
 * → `shape` with n elements, blocks along them in order. Values and layout are bitsandbytes'.
 * @throws ShapeError when a part's size is not the one that the shape asks for.
 */
export function dequantizeNf4(
  packed: Tensor,
  absmax: Tensor,
  nestedAbsmax: Tensor,
  offset: Tensor,
  shape: readonly number[],
): Tensor {
  return apply(dequantizeNf4Op, [packed, absmax, nestedAbsmax, offset], { shape });
}
