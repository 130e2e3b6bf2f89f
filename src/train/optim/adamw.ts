/** @file AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2). */

import { add, div, exp, mul, sqrt, sub, type Tensor } from "../../graph/index.js";
import type { ElementwiseRule } from "./elementwise.js";

export interface AdamWOptions {
  /** Decay of the mean of gradients. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of squared gradients. Default 0.95, usual for language models; the paper has 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  readonly epsilon?: number;
}

/** m ← β₁m + (1-β₁)g, v ← β₂v + (1-β₂)g², p ← (1-ηλ)p - η m̂ / (√v̂ + ε), with m̂ and v̂ corrected for their start at 0. */
export function adamw({ beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8 }: AdamWOptions = {}): ElementwiseRule {
  return {
    name: "adamw",
    states: ["moment1", "moment2"],
    scalars: ["gradientToMoment1", "gradientToMoment2", "rootScale", "stepSize", "keep"],
    scalarsOf: ({ step, learningRate, gradientScale, weightDecay }) => ({
      gradientToMoment1: mul(gradientScale, 1 - beta1),
      gradientToMoment2: mul(mul(gradientScale, gradientScale), 1 - beta2),
      rootScale: div(1, sqrt(correction(beta2, step))),
      stepSize: div(learningRate, correction(beta1, step)),
      keep: sub(1, mul(learningRate, weightDecay)),
    }),
    update: ({
      parameter,
      gradient,
      moment1,
      moment2,
      gradientToMoment1,
      gradientToMoment2,
      rootScale,
      stepSize,
      keep,
    }) => {
      const m = add(mul(moment1!, beta1), mul(gradient!, gradientToMoment1!));
      const v = add(mul(moment2!, beta2), mul(mul(gradient!, gradient!), gradientToMoment2!));
      const update = div(mul(m, stepSize!), add(mul(sqrt(v), rootScale!), epsilon));
      return { parameter: sub(mul(parameter!, keep!), update), moment1: m, moment2: v };
    },
  };
}

/** 1 - βᵗ⁺¹: what a mean that started at 0 has reached after t + 1 steps of ones. */
const correction = (beta: number, step: Tensor): Tensor => sub(1, exp(mul(add(step, 1), Math.log(beta))));
