/** @file Modules as data. */
export { denseLinear } from "./layers/linear.js";
export { type PackedWeight, packedLinear } from "./layers/packed-linear.js";
export {
  type AttentionRequest,
  type CacheSpec,
  countParameters,
  type Initializer,
  initialize,
  type LanguageModel,
  type Layer,
  type LayerContext,
  type LayerKind,
  type LinearHandle,
  type ParameterSpec,
  type Parameters,
  parameterSpecs,
  type Scope,
} from "./model.js";
export { ropeTables } from "./position/rope-tables.js";
export { scopeOf } from "./scope.js";
