/** @file LoRA (Hu et al. 2021, arXiv:2106.09685, section 4.1): y = W x + (α/r) B A x with W frozen. */

import { z } from "zod";
import { add, matmul } from "../../graph/index.js";
import type { PeftMethod } from "../method.js";

const schema = z.object({
  /** Rank of the update. */
  r: z.int().positive().default(8),
  /** α: the update is scaled by α / r. */
  lora_alpha: z.number().positive().default(16),
  /** Dropout on the input of A while training. */
  lora_dropout: z.number().min(0).lt(1).default(0),
});

export type LoraConfig = z.output<typeof schema>;

export const lora: PeftMethod<LoraConfig> = {
  name: "lora",
  peftType: "LORA",
  schema,
  // A is uniform in ±1/√in in PEFT; a normal of the same variance serves. B is zero, so the update starts at zero.
  parameters: ({ r }, outFeatures, inFeatures) => [
    { name: "lora_A.weight", shape: [r, inFeatures], init: { std: 1 / Math.sqrt(3 * inFeatures) } },
    { name: "lora_B.weight", shape: [outFeatures, r], init: { fill: 0 } },
  ],
  forward: ({ r, lora_alpha, lora_dropout }, x, base, parameters, context) => {
    const down = matmul(context.dropout(x, lora_dropout), parameters["lora_A.weight"]!, { transB: true });
    const up = matmul(down, parameters["lora_B.weight"]!, { transB: true, scale: lora_alpha / r });
    return add(base.forward(x), up);
  },
  delta: ({ r, lora_alpha }, parameters) => {
    const [a, b] = [parameters["lora_A.weight"]!, parameters["lora_B.weight"]!];
    const [outFeatures, inFeatures] = [b.shape[0]!, a.shape[1]!];
    const out = new Float32Array(outFeatures * inFeatures);
    for (let row = 0; row < outFeatures; row++) {
      for (let k = 0; k < r; k++) {
        const factor = (lora_alpha / r) * Number(b.data[row * r + k]);
        for (let col = 0; col < inFeatures; col++) {
          out[row * inFeatures + col]! += factor * Number(a.data[k * inFeatures + col]);
        }
      }
    }
    return out;
  },
};
