/** @file Normalisations as parts of a layer. */

import { add, layerNorm, rmsNorm, scalar, type Tensor } from "../../graph/index.js";
import type { ParameterSpec, Scope } from "../model.js";

/** A normalisation of the last axis: parameters, and its function of a scope that has them. */
export interface Norm {
  readonly parameters: readonly ParameterSpec[];
  forward(scope: Scope, x: Tensor): Tensor;
}

export interface NormOptions {
  /** Size of the last axis. */
  readonly size: number;
  readonly epsilon: number;
}

/** RMSNorm with `<name>.weight`. With `isOffset` the factor is 1 + weight, and the weight starts at 0 (Gemma). */
export function rmsNormOf(
  name: string,
  { size, epsilon, isOffset = false }: NormOptions & { isOffset?: boolean },
): Norm {
  const weight = `${name}.weight`;
  return {
    parameters: [{ name: weight, shape: [size], init: { fill: isOffset ? 0 : 1 } }],
    forward: (scope, x) => {
      const factor = scope.tensor(weight);
      return rmsNorm(x, isOffset ? add(factor, scalar(1)) : factor, epsilon);
    },
  };
}

/** Layer normalisation with `<name>.weight` and `<name>.bias`. */
export function layerNormOf(name: string, { size, epsilon }: NormOptions): Norm {
  return {
    parameters: [
      { name: `${name}.weight`, shape: [size], init: { fill: 1 } },
      { name: `${name}.bias`, shape: [size], init: { fill: 0 } },
    ],
    forward: (scope, x) => layerNorm(x, scope.tensor(`${name}.weight`), scope.tensor(`${name}.bias`), epsilon),
  };
}
