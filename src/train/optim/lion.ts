/** @file Lion (Chen et al. 2023, arXiv:2302.06675, algorithm 2): steps of one size along the sign of a mean gradient. */

import { add, after, mul, sign, sub } from "../../graph/index.js";
import type { ElementwiseRule } from "./elementwise.js";

export interface LionOptions {
  /** Weight of the mean in the step. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of gradients. Default 0.99. */
  readonly beta2?: number;
}

/**
 * p ← (1-ηλ)p - η sign(β₁m + (1-β₁)g), m ← β₂m + (1-β₂)g. One state. The paper's rates are 3 to 10 times below AdamW's,
 * its decays as much above.
 */
export function lion({ beta1 = 0.9, beta2 = 0.99 }: LionOptions = {}): ElementwiseRule {
  return {
    name: "lion",
    states: ["momentum"],
    scalars: ["gradientToStep", "gradientToMomentum", "stepSize", "keep"],
    scalarsOf: ({ learningRate, gradientScale, weightDecay }) => ({
      gradientToStep: mul(gradientScale, 1 - beta1),
      gradientToMomentum: mul(gradientScale, 1 - beta2),
      stepSize: learningRate,
      keep: sub(1, mul(learningRate, weightDecay)),
    }),
    update: ({ parameter, gradient, momentum, gradientToStep, gradientToMomentum, stepSize, keep }) => {
      const direction = sign(add(mul(momentum!, beta1), mul(gradient!, gradientToStep!)));
      return {
        parameter: sub(mul(parameter!, keep!), mul(direction, stepSize!)),
        // written over the mean that the direction reads, so not before it
        momentum: add(mul(after(momentum!, [direction]), beta2), mul(gradient!, gradientToMomentum!)),
      };
    },
  };
}
