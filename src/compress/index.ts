/** @file Weights made smaller. */

export { fakeQuantized, type PackedFormat, packedBits } from "./fake-quantized.js";
export type { FrozenFormat, Parts } from "./frozen/format.js";
export { type FrozenFormatName, frozenFormats } from "./frozen/index.js";
export {
  type FrozenWeights,
  frozenWeights,
  mapParts,
  packFrozen,
  packFrozenAsRead,
  storedBytes,
  storedFormat,
  storedParts,
  unpackFrozen,
} from "./frozen/pack-frozen.js";
export {
  BLOCK_SIZE,
  type BlockwiseMatrix,
  type BlockwiseOptions,
  blockwiseBytes,
  dequantize,
  dequantizeRow,
  quantizeBlockwise,
} from "./quantize/blockwise.js";
export { type Nf4Matrix, quantizeNf4, unpackNf4 } from "./quantize/nf4.js";
export { rankForEnergy, singularValues } from "./spectrum.js";
