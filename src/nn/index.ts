/** @file Modules as data. */

export * from "./encoder.js";
export * from "./encoder-decoder.js";
export { type ActivationName, activationNames, activations } from "./layers/activation.js";
export { type DenseOptions, denseLinear, type LinearOptions, linearParameters } from "./layers/linear.js";
export {
  fusedGatedMlp,
  type GatedNames,
  gatedMlp,
  type MlpOptions,
  type PlainMlpOptions,
  plainMlp,
} from "./layers/mlp.js";
export { loadBalancingLoss, type MoeOptions, mixtureOfExperts, ROUTER_LOGITS, routingWeights } from "./layers/moe.js";
export { layerNormOf, type Norm, type NormOptions, rmsNormOf } from "./layers/norm.js";
export { type PackedWeight, packedLinear } from "./layers/packed-linear.js";
export {
  followedBy,
  parallelLayer,
  preNormLayer,
  type ResidualParts,
  residualStd,
  withDropout,
} from "./layers/residual.js";
export {
  type FusedOptions,
  fusedProjection,
  type HeadShape,
  type ProjectionOptions,
  type Projections,
  type RotationNames,
  type SelfAttentionOptions,
  selfAttention,
  separateProjections,
} from "./layers/self-attention.js";
export {
  type AttentionRequest,
  type CacheSpec,
  checkLength,
  countParameters,
  type Initializer,
  initialize,
  type LanguageModel,
  type Layer,
  type LayerContext,
  type LayerKind,
  type LinearHandle,
  type LowRankUpdate,
  layerSpecs,
  linearShape,
  type Module,
  type ParameterSpec,
  type Parameters,
  parameterSpecs,
  type RowReading,
  type Scope,
} from "./model.js";
export * from "./pooling.js";
export { bidirectionalAlibi, causalAlibi } from "./position/alibi.js";
export { type LearnedPositions, learnedPositions } from "./position/learned.js";
export { type RelativeAttentionOptions, relativeAttention } from "./position/relative.js";
export {
  type Rope,
  type RopeKeys,
  type RopeOptions,
  type RopeParameters,
  ropeFromConfig,
  ropeKeys,
  ropeScalings,
} from "./position/rope-config.js";
export type { RopeScaling, RopeSettings, ScaledRope } from "./position/rope-scaling.js";
export { type RopeTables, ropeTables, tablesOf } from "./position/rope-tables.js";
export { sinusoidalTable } from "./position/sinusoidal.js";
export { type BucketOptions, bucketBias, bucketTable } from "./position/t5-buckets.js";
export { type XposOptions, type XposTables, xposTables } from "./position/xpos.js";
export { scopeOf } from "./scope.js";
