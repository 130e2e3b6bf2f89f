/**
 * @file DoRA (Liu et al. 2024, arXiv:2402.09353, eq. 5 and section 4.3): a weight's rows have a length of their own, m, and
 * LoRA turns their directions: y = m / ‖W + s B A‖ ∘ (W + s B A) x, the norm taken as constant in the backward pass.
 */

import { z } from "zod";
import { UnsupportedError } from "../../base/errors.js";
import { add, div, matmul, mul, reduceSum, sqrt, sub, type Tensor, withGradient } from "../../graph/index.js";
import type { LinearHandle } from "../../nn/index.js";
import { type LinearAdapter, linearAdapter } from "../linear-adapter.js";
import { loraKeys, lowRankDelta, lowRankUpdate, overRank, plainLora } from "./lora.js";
import { overRootOfRank } from "./rslora.js";

const schema = z.object({
  ...loraKeys,
  /** s = α/√r in place of α/r. */
  use_rslora: z.boolean().default(false),
});

export type DoraConfig = z.output<typeof schema>;

const MAGNITUDE = "lora_magnitude_vector";

const scaling = (config: DoraConfig): number => (config.use_rslora ? overRootOfRank : overRank)(config);

/**
 * ‖w + s b A‖ of each row, [out], from ‖w‖² + 2 s b·(A w) + s² b (A Aᵀ) bᵀ: nothing of the weight's size is kept. A constant
 * in the backward pass, and dear to compute again.
 */
function rowNorms(weight: Tensor, a: Tensor, b: Tensor, scale: number): Tensor {
  const sum = (x: Tensor): Tensor => reduceSum(x, [-1]);
  const crossed = matmul(weight, a, { transB: true, scale: 2 * scale }); // [out, r]
  const ofUpdate = matmul(b, matmul(a, a, { transB: true }), { scale: scale ** 2 });
  const squares = add(sum(mul(weight, weight)), sum(mul(b, add(crossed, ofUpdate))));
  const flopsPerElement = 2 * Number(weight.shape[1]);
  const [norms] = withGradient("row_norms", [], [sqrt(squares)], () => [], { flopsPerElement });
  return norms!;
}

function weightOf(base: LinearHandle): Tensor {
  if (base.weight) return base.weight();
  throw new UnsupportedError("DoRA needs the values of the weights that it turns, but they are packed; merge it first");
}

const formula: LinearAdapter<DoraConfig> = {
  name: "dora",
  schema,
  marks: { use_dora: true },
  parameters: (config, outFeatures, inFeatures) => [
    ...plainLora.parameters(config, outFeatures, inFeatures),
    {
      name: MAGNITUDE,
      shape: [outFeatures],
      init: { fill: 1 },
      start: (weight) => Float32Array.from({ length: outFeatures }, (_, row) => norm(weight, row, inFeatures)),
    },
  ],
  forward: (config, x, base, parameters, context) => {
    const scale = scaling(config);
    const [a, b] = [parameters["lora_A.weight"]!, parameters["lora_B.weight"]!];
    const gain = div(parameters[MAGNITUDE]!, rowNorms(weightOf(base), a, b, scale));
    const sum = add(base.forward(x), lowRankUpdate(x, parameters, config, scale, context));
    // the bias is no part of the rows whose lengths are learned
    return base.bias ? add(mul(sub(sum, base.bias), gain), base.bias) : mul(sum, gain);
  },
  delta: (config, parameters, weight) => {
    const change = lowRankDelta(parameters, scaling(config));
    const magnitudes = parameters[MAGNITUDE]!.data;
    const inFeatures = weight.length / magnitudes.length;
    const turned = weight.map((w, i) => w + change[i]!);
    for (let row = 0; row < magnitudes.length; row++) {
      const gain = Number(magnitudes[row]) / norm(turned, row, inFeatures);
      for (let i = row * inFeatures; i < (row + 1) * inFeatures; i++) change[i] = gain * turned[i]! - weight[i]!;
    }
    return change;
  },
  keepsNot: "they do not say how long the base's rows were",
};

/** Length of a row. */
function norm(matrix: Float32Array, row: number, width: number): number {
  let sum = 0;
  for (let i = row * width; i < (row + 1) * width; i++) sum += matrix[i]! ** 2;
  return Math.sqrt(sum);
}

export const dora = linearAdapter(formula);
