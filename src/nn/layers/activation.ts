/** @file Activations by the name that config.json gives them. */

import { gelu, relu, silu, type Tensor } from "../../graph/index.js";

export const activations = {
  silu,
  /** Another name of silu. */
  swish: silu,
  relu,
  gelu: (x: Tensor): Tensor => gelu(x, "none"),
  gelu_new: (x: Tensor): Tensor => gelu(x, "tanh"),
  gelu_pytorch_tanh: (x: Tensor): Tensor => gelu(x, "tanh"),
} as const;

export type ActivationName = keyof typeof activations;

/** For the schemas of families that take any of them. */
export const activationNames = Object.keys(activations) as [ActivationName, ...ActivationName[]];
