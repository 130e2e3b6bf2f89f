/** @file Parameters by name while a graph is built. */

import { ConfigError } from "../base/errors.js";
import type { Tensor } from "../graph/index.js";
import { denseLinear } from "./layers/linear.js";
import type { ParameterSpec, Scope } from "./model.js";

/** A scope over tensors by local name. `specs` say which matrices are stored transposed. */
export function scopeOf(tensors: Readonly<Record<string, Tensor>>, specs: readonly ParameterSpec[] = []): Scope {
  const transposed = new Set(specs.filter(({ matrix }) => matrix === "transposed").map(({ name }) => name));
  const tensor = (name: string): Tensor => {
    const found = tensors[name];
    if (!found)
      throw new ConfigError(`no parameter "${name}" in this layer; it has: ${Object.keys(tensors).join(", ")}`);
    return found;
  };
  return {
    tensor,
    has: (name) => name in tensors,
    linear: (name) => {
      const weight = `${name}.weight`;
      return denseLinear(tensor(weight), tensors[`${name}.bias`], { isTransposed: transposed.has(weight) });
    },
  };
}
