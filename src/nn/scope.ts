/** @file Parameters by name while a graph is built. */

import { ConfigError } from "../base/errors.js";
import type { Tensor } from "../graph/index.js";
import { denseLinear } from "./layers/linear.js";
import type { Scope } from "./model.js";

/** A scope over tensors by local name. */
export function scopeOf(tensors: Readonly<Record<string, Tensor>>): Scope {
  const tensor = (name: string): Tensor => {
    const found = tensors[name];
    if (!found)
      throw new ConfigError(`no parameter "${name}" in this layer; it has: ${Object.keys(tensors).join(", ")}`);
    return found;
  };
  return {
    tensor,
    has: (name) => name in tensors,
    linear: (name) => denseLinear(tensor(`${name}.weight`), tensors[`${name}.bias`]),
  };
}
