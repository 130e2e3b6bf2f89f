/** @file Compositions of ops. */
export { type CausalAttentionOptions, causalAttention } from "./attention.js";
export { linearCrossEntropy } from "./cross-entropy.js";
