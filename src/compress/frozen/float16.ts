/** @file Frozen weights in half precision, cast up where they are used. */

import { allocate, toFloat16 } from "../../base/dtype.js";
import { ConfigError } from "../../base/errors.js";
import { asFloat32, hostTensor } from "../../base/host-tensor.js";
import { cast } from "../../graph/index.js";
import type { FrozenFormat } from "./format.js";

/** Bits of infinity, sign apart. */
const INFINITE = 0x7c00;

export const float16: FrozenFormat<"float16"> = {
  name: "float16",
  parts: (shape) => ({ "": { dtype: "float16", shape } }),
  pack: (weight) => {
    const values = asFloat32(weight);
    const halves = allocate("float16", values.length);
    for (let i = 0; i < values.length; i++) {
      halves[i] = toFloat16(values[i]!);
      if ((halves[i]! & INFINITE) === INFINITE)
        throw new ConfigError(`float16: the value ${values[i]} is out of range; keep the weight in float32 or nf4`);
    }
    return { "": hostTensor("float16", weight.shape, halves) };
  },
  unpack: (parts, shape) => hostTensor("float32", shape, asFloat32(parts[""]!)),
  read: (parts) => cast(parts[""]!, "float32"),
};
