/** @file Frozen weights in NF4, the parts named as bitsandbytes names them in checkpoints. */

import { sizeOf } from "../../base/host-tensor.js";
import { dequantizeNf4, nf4Sizes } from "../../graph/index.js";
import { quantizeNf4, unpackNf4 } from "../quantize/nf4.js";
import type { FrozenFormat } from "./format.js";

const [ABSMAX, NESTED_ABSMAX, NESTED_OFFSET] = [".absmax", ".nested_absmax", ".nested_offset"] as const;

export const nf4: FrozenFormat<"nf4"> = {
  name: "nf4",
  parts: (shape) => {
    const { packed, blocks, nested } = nf4Sizes(sizeOf(shape));
    return {
      "": { dtype: "uint8", shape: [packed] },
      [ABSMAX]: { dtype: "uint8", shape: [blocks] },
      [NESTED_ABSMAX]: { dtype: "float32", shape: [nested] },
      [NESTED_OFFSET]: { dtype: "float32", shape: [] },
    };
  },
  pack: (weight) => {
    const { packed, absmax, nestedAbsmax, nestedOffset } = quantizeNf4(weight);
    return { "": packed, [ABSMAX]: absmax, [NESTED_ABSMAX]: nestedAbsmax, [NESTED_OFFSET]: nestedOffset };
  },
  unpack: (parts, shape) =>
    unpackNf4({
      shape,
      packed: parts[""]!,
      absmax: parts[ABSMAX]!,
      nestedAbsmax: parts[NESTED_ABSMAX]!,
      nestedOffset: parts[NESTED_OFFSET]!,
    }),
  read: (parts, shape) =>
    dequantizeNf4(parts[""]!, parts[ABSMAX]!, parts[NESTED_ABSMAX]!, parts[NESTED_OFFSET]!, shape),
};
