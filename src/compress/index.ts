/** @file Weights made smaller. */
export {
  type BlockwiseMatrix,
  type BlockwiseOptions,
  blockwiseBytes,
  dequantize,
  dequantizeRow,
  quantizeBlockwise,
} from "./quantize/blockwise.js";
export { rankForEnergy, singularValues } from "./spectrum.js";
