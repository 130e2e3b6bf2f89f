/** @file Generation over token ids. */
export { type GenerateOptions, Generator, type GeneratorOptions } from "./generator.js";
export { type SamplingOptions, sample } from "./sampling/sampler.js";
export { type WeightFormat, Weights } from "./weights.js";
