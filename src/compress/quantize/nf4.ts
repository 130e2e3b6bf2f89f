/**
 * @file NF4 with double quantisation (QLoRA, Dettmers et al. 2023, arXiv:2305.14314, section 3): blocks of 64 weights as
 * the nearest of 16 normal quantiles times their largest magnitude, and these scales as 8-bit dynamic codes themselves.
 */

import { allocate } from "../../base/dtype.js";
import { dynamicCodes } from "../../base/dynamic-codes.js";
import { ConfigError } from "../../base/errors.js";
import { type HostTensor, hostTensor, sizeOf } from "../../base/host-tensor.js";
import { NF4_BLOCK, NF4_CODES, NF4_NESTED_BLOCK, nf4Sizes } from "../../graph/index.js";

/** A tensor's n values in 4 bits each, in bitsandbytes' layout: 0.516 bytes per weight. */
export interface Nf4Matrix {
  readonly shape: readonly number[];
  /** [⌈n/2⌉] uint8: two codes per byte, the first one high. */
  readonly packed: HostTensor;
  /** [⌈n/64⌉] uint8: dynamic codes of the scales, less their mean. */
  readonly absmax: HostTensor;
  /** [⌈n/16384⌉] float32: largest magnitude of 256 scales, less their mean. */
  readonly nestedAbsmax: HostTensor;
  /** [] float32: mean of the scales. */
  readonly nestedOffset: HostTensor;
}

/**
 * Packs a tensor; its values in order make up the blocks, whatever its shape.
 * @throws ConfigError when it is not float32, or a value is not finite.
 */
export function quantizeNf4({ dtype, shape, data }: HostTensor): Nf4Matrix {
  if (!(data instanceof Float32Array) || data.length === 0)
    throw new ConfigError(`NF4: expected float32 values, got ${dtype}[${shape}]`);
  const { blocks, nested, packed } = nf4Sizes(data.length);
  const scales = new Float32Array(blocks);
  const bytes = allocate("uint8", packed);
  nearestCodes(data, NF4_BLOCK, NF4_CODES, scales, (i, code) => {
    bytes[i >> 1]! |= i % 2 === 0 ? code << 4 : code;
  });
  const mean = Math.fround(scales.reduce((sum, scale) => sum + scale, 0) / blocks);
  const absmax = allocate("uint8", blocks);
  const nestedAbsmax = allocate("float32", nested);
  const centred = scales.map((scale) => scale - mean);
  nearestCodes(centred, NF4_NESTED_BLOCK, dynamicCodes(true), nestedAbsmax, (i, code) => {
    absmax[i] = code;
  });
  return {
    shape,
    packed: hostTensor("uint8", [packed], bytes),
    absmax: hostTensor("uint8", [blocks], absmax),
    nestedAbsmax: hostTensor("float32", [nested], nestedAbsmax),
    nestedOffset: hostTensor("float32", [], Float32Array.of(mean)),
  };
}

/** Divides each block by its largest magnitude, which goes to `scales`, and finds the nearest entry of a sorted code book. */
function nearestCodes(
  values: Float32Array,
  blockSize: number,
  book: ArrayLike<number>,
  scales: Float32Array,
  put: (index: number, code: number) => void,
): void {
  const upTo = Float32Array.from({ length: book.length - 1 }, (_, i) => (book[i]! + book[i + 1]!) / 2);
  for (let block = 0; block < scales.length; block++) {
    const start = block * blockSize;
    const end = Math.min(start + blockSize, values.length);
    let largest = 0;
    for (let i = start; i < end; i++) {
      const magnitude = Math.abs(values[i]!);
      // what is not a number is larger than nothing, and stays
      if (magnitude > largest || Number.isNaN(magnitude)) largest = magnitude;
    }
    if (!Number.isFinite(largest)) throw new ConfigError(`NF4: among values ${start} to ${end - 1} one is ${largest}`);
    scales[block] = largest;
    const factor = Math.fround(1 / Math.max(largest, Math.fround(1e-38)));
    for (let i = start; i < end; i++) put(i, rank(upTo, Math.fround(values[i]! * factor)));
  }
}

/** How many of the sorted `bounds` lie below a value. */
function rank(bounds: Float32Array, value: number): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The values that a packed tensor stands for. */
export function unpackNf4({ shape, packed, absmax, nestedAbsmax, nestedOffset }: Nf4Matrix): HostTensor {
  const out = allocate("float32", sizeOf(shape));
  const book = dynamicCodes(true);
  const mean = Number(nestedOffset.data[0]);
  const [bytes, scaleCodes] = [packed.data as Uint8Array, absmax.data as Uint8Array];
  for (let block = 0; block < scaleCodes.length; block++) {
    const nested = Number(nestedAbsmax.data[Math.floor(block / NF4_NESTED_BLOCK)]);
    const scale = Math.fround(Math.fround(book[scaleCodes[block]!]! * nested) + mean);
    for (let i = block * NF4_BLOCK; i < Math.min((block + 1) * NF4_BLOCK, out.length); i++) {
      const byte = bytes[i >> 1]!;
      out[i] = Math.fround(NF4_CODES[i % 2 === 0 ? byte >> 4 : byte & 15]!) * scale;
    }
  }
  return hostTensor("float32", shape, out);
}
