/** @file LoRA (Hu et al. 2021, arXiv:2106.09685, section 4.1): y = W x + (α/r) B A x with W frozen. */

import { z } from "zod";
import type { HostTensor } from "../../base/host-tensor.js";
import { add, matmul, type Tensor } from "../../graph/index.js";
import { type AdapterContext, type LinearAdapter, linearAdapter } from "../linear-adapter.js";

export const loraKeys = {
  /** Rank of the update. */
  r: z.int().positive().default(8),
  /** α: the update is scaled by α / r. */
  lora_alpha: z.number().positive().default(16),
  /** Dropout on the input of A while training. */
  lora_dropout: z.number().min(0).lt(1).default(0),
};

const schema = z.object(loraKeys);

export type LoraConfig = z.output<typeof schema>;

/** Factor on the update by a config. */
export type Scaling<Config> = (config: Config) => number;

/** s B A x: x [..., in] → [..., out]. */
export function lowRankUpdate(
  x: Tensor,
  parameters: Readonly<Record<string, Tensor>>,
  { lora_dropout }: LoraConfig,
  scale: number,
  context: AdapterContext,
): Tensor {
  const down = matmul(context.dropout(x, lora_dropout), parameters["lora_A.weight"]!, { transB: true });
  return matmul(down, parameters["lora_B.weight"]!, { transB: true, scale });
}

/** s B A, [out, in]. */
export function lowRankDelta(parameters: Readonly<Record<string, HostTensor>>, scale: number): Float32Array {
  const [a, b] = [parameters["lora_A.weight"]!, parameters["lora_B.weight"]!];
  const [outFeatures, rank, inFeatures] = [b.shape[0]!, a.shape[0]!, a.shape[1]!];
  const out = new Float32Array(outFeatures * inFeatures);
  for (let row = 0; row < outFeatures; row++) {
    for (let k = 0; k < rank; k++) {
      const factor = scale * Number(b.data[row * rank + k]);
      for (let col = 0; col < inFeatures; col++) {
        out[row * inFeatures + col]! += factor * Number(a.data[k * inFeatures + col]);
      }
    }
  }
  return out;
}

/** The formula with a scaling of its own. */
export function lowRank<Config extends LoraConfig>(
  method: Pick<LinearAdapter<Config>, "name" | "schema" | "marks" | "omit">,
  scaling: Scaling<Config>,
): LinearAdapter<Config> {
  return {
    ...method,
    // A is uniform in ±1/√in in PEFT; a normal of the same variance serves. B is zero, so the update starts at zero.
    parameters: ({ r }, outFeatures, inFeatures) => [
      { name: "lora_A.weight", shape: [r, inFeatures], init: { std: 1 / Math.sqrt(3 * inFeatures) } },
      { name: "lora_B.weight", shape: [outFeatures, r], init: { fill: 0 } },
    ],
    forward: (config, x, base, parameters, context) =>
      add(base.forward(x), lowRankUpdate(x, parameters, config, scaling(config), context)),
    delta: (config, parameters) => lowRankDelta(parameters, scaling(config)),
    lowRankScale: scaling,
  };
}

export const overRank: Scaling<LoraConfig> = ({ r, lora_alpha }) => lora_alpha / r;

export const plainLora = lowRank<LoraConfig>(
  { name: "lora", schema, marks: { use_dora: false, use_rslora: false } },
  overRank,
);

export const lora = linearAdapter(plainLora);
