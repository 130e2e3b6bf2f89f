/** @file Errors, element types, host tensors, random numbers. */
export * from "./dtype.js";
export * from "./errors.js";
export * from "./host-tensor.js";
export { deriveSeed, Rng, type RngState } from "./rng.js";
