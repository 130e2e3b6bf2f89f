/** @file The symbolic tensor graph: tensors, ops, gradients. */
export { gradientSources, kept, stopGradient, withGradient } from "./custom.js";
export {
  type DifferentiatedGraph,
  type DifferentiateOptions,
  differentiate,
  type SavePolicy,
} from "./differentiate.js";
export {
  addDims,
  type Dim,
  type DimBindings,
  evaluateDim,
  evaluateShape,
  mulDims,
  type Shape,
  subDims,
} from "./dim.js";
export * from "./functional/index.js";
export { grad, type Seed } from "./grad.js";
export { inline } from "./inline.js";
export { interpret } from "./interpret.js";
export * from "./ops/index.js";
export { readLate } from "./read-late.js";
export { type Reference, reference } from "./reference.js";
export {
  type Aval,
  apply,
  applyAll,
  constant,
  type Graph,
  graph,
  input,
  type OpDef,
  scalar,
  Tensor,
  type TensorLike,
} from "./tensor.js";
