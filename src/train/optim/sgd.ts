/** @file Stochastic gradient descent with momentum (Polyak 1964; as in Sutskever et al. 2013, without Nesterov's step). */

import { add, mul, sub } from "../../graph/index.js";
import type { ElementwiseRule } from "./elementwise.js";

export interface SgdOptions {
  /** Share of the last update that is kept. 0 needs no state. Default 0. */
  readonly momentum?: number;
}

/** u ← μu + g, p ← (1-ηλ)p - ηu. */
export function sgd({ momentum = 0 }: SgdOptions = {}): ElementwiseRule {
  return {
    name: "sgd",
    states: momentum === 0 ? [] : ["velocity"],
    scalars: ["gradientScale", "stepSize", "keep"],
    scalarsOf: ({ learningRate, gradientScale, weightDecay }) => ({
      gradientScale,
      stepSize: learningRate,
      keep: sub(1, mul(learningRate, weightDecay)),
    }),
    update: ({ parameter, gradient, velocity, gradientScale, stepSize, keep }) => {
      const scaled = mul(gradient!, gradientScale!);
      const step = velocity ? add(mul(velocity, momentum), scaled) : scaled;
      const next = sub(mul(parameter!, keep!), mul(step, stepSize!));
      return velocity ? { parameter: next, velocity: step } : { parameter: next };
    },
  };
}
