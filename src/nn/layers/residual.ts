/** @file Layers put together from their parts: what is normalised, and what is added back where. */

import { add } from "../../graph/index.js";
import type { LayerKind, Module } from "../model.js";
import type { Norm } from "./norm.js";

export interface ResidualParts {
  readonly attentionNorm: Norm;
  readonly attention: Module;
  readonly mlpNorm: Norm;
  readonly mlp: Module;
}

const parametersOf = ({ attentionNorm, attention, mlpNorm, mlp }: ResidualParts): LayerKind["parameters"] => [
  ...attentionNorm.parameters,
  ...attention.parameters,
  ...mlpNorm.parameters,
  ...mlp.parameters,
];

/** h = x + attention(norm(x)), then h + mlp(norm(h)) (pre-norm, Xiong et al. 2020, arXiv:2002.04745). */
export function preNormLayer(parts: ResidualParts): LayerKind {
  const { attentionNorm, attention, mlpNorm, mlp } = parts;
  return {
    parameters: parametersOf(parts),
    build: (scope, x, context) => {
      const middle = add(x, attention.forward(scope, attentionNorm.forward(scope, x), context));
      return add(middle, mlp.forward(scope, mlpNorm.forward(scope, middle), context));
    },
  };
}

/** x + attention(norm(x)) + mlp(norm'(x)): both read the layer's input (GPT-J; GPT-NeoX, arXiv:2204.06745, section 2.1). */
export function parallelLayer(parts: ResidualParts): LayerKind {
  const { attentionNorm, attention, mlpNorm, mlp } = parts;
  return {
    parameters: parametersOf(parts),
    build: (scope, x, context) => {
      const attended = attention.forward(scope, attentionNorm.forward(scope, x), context);
      return add(add(mlp.forward(scope, mlpNorm.forward(scope, x), context), attended), x);
    },
  };
}

/** A part whose result is normalised before it is added back. */
export function followedBy(part: Module, norm: Norm): Module {
  return {
    parameters: [...part.parameters, ...norm.parameters],
    forward: (scope, x, context) => norm.forward(scope, part.forward(scope, x, context)),
  };
}

/** A part whose result is dropped at a rate while training. */
export function withDropout(part: Module, rate: number): Module {
  if (rate === 0) return part;
  return { ...part, forward: (scope, x, context) => context.dropout(part.forward(scope, x, context), rate) };
}

/** Start of maps that write to the residual stream: smaller, so that its variance does not grow with depth (GPT-2, section 2.3). */
export function residualStd(std: number, depth: number): number {
  return std / Math.sqrt(2 * depth);
}
