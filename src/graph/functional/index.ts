/** @file Compositions of ops. */
export { type AdditiveAttentionOptions, additiveAttention } from "./additive-attention.js";
export { type CausalAttentionOptions, causalAttention, causalAttentionGradient } from "./attention.js";
export { linearCrossEntropy } from "./cross-entropy.js";
export { type FullAttentionOptions, fullAttention } from "./full-attention.js";
export { type ShiftedAttentionOptions, shiftedAttention } from "./shifted-attention.js";
export { type ShownAttentionOptions, shownAttention } from "./shown-attention.js";
export { softcapped, softcapSlope } from "./softcap.js";
