/** @file Position-wise networks as parts of a layer. */

import { mul, slice, type Tensor } from "../../graph/index.js";
import type { Module } from "../model.js";
import { type ActivationName, activations } from "./activation.js";
import { linearParameters } from "./linear.js";

export interface MlpOptions {
  readonly hiddenSize: number;
  /** F. */
  readonly intermediateSize: number;
  readonly activation: ActivationName;
  readonly bias: boolean;
  readonly std: number;
  /** Standard deviation at which the map back to the hidden size starts. */
  readonly outputStd: number;
}

/** Names of the linear maps of a gated network. */
export interface GatedNames {
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

const LLAMA_NAMES: GatedNames = { gate: "mlp.gate_proj", up: "mlp.up_proj", down: "mlp.down_proj" };

/** down(activation(gate(x)) · up(x)) (GLU variants, Shazeer 2020, arXiv:2002.05202, eq. 6). */
export function gatedMlp(options: MlpOptions, names: GatedNames = LLAMA_NAMES): Module {
  const { hiddenSize, intermediateSize, bias, std, outputStd } = options;
  const inner = { inFeatures: hiddenSize, outFeatures: intermediateSize, bias, init: { std } };
  const outer = { inFeatures: intermediateSize, outFeatures: hiddenSize, bias, init: { std: outputStd } };
  return {
    parameters: [
      ...linearParameters(names.gate, inner),
      ...linearParameters(names.up, inner),
      ...linearParameters(names.down, outer),
    ],
    forward: (scope, x) => {
      const gate = activations[options.activation](scope.linear(names.gate).forward(x));
      return scope.linear(names.down).forward(mul(gate, scope.linear(names.up).forward(x)));
    },
  };
}

/** The same with gate and up as one linear map: the first half of its rows is the gate. */
export function fusedGatedMlp(options: MlpOptions, names: { readonly gateUp: string; readonly down: string }): Module {
  const { hiddenSize, intermediateSize: wide, bias, std, outputStd } = options;
  return {
    parameters: [
      ...linearParameters(names.gateUp, { inFeatures: hiddenSize, outFeatures: 2 * wide, bias, init: { std } }),
      ...linearParameters(names.down, { inFeatures: wide, outFeatures: hiddenSize, bias, init: { std: outputStd } }),
    ],
    forward: (scope, x) => {
      const both = scope.linear(names.gateUp).forward(x);
      const half = (start: number): Tensor => slice(both, -1, start, start + wide);
      return scope.linear(names.down).forward(mul(activations[options.activation](half(0)), half(wide)));
    },
  };
}

export interface PlainMlpOptions extends MlpOptions {
  /** Weights are stored [in, out]. Default false. */
  readonly isTransposed?: boolean;
}

/** out(activation(in(x))). */
export function plainMlp(options: PlainMlpOptions, names: { readonly in: string; readonly out: string }): Module {
  const { hiddenSize, intermediateSize: wide, bias, std, outputStd, isTransposed = false } = options;
  return {
    parameters: [
      ...linearParameters(names.in, { inFeatures: hiddenSize, outFeatures: wide, bias, init: { std }, isTransposed }),
      ...linearParameters(names.out, {
        inFeatures: wide,
        outFeatures: hiddenSize,
        bias,
        init: { std: outputStd },
        isTransposed,
      }),
    ],
    forward: (scope, x) =>
      scope.linear(names.out).forward(activations[options.activation](scope.linear(names.in).forward(x))),
  };
}
