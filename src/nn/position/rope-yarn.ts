/** @file YaRN (Peng et al. 2023, arXiv:2309.00071): slow frequencies interpolated, fast ones kept, scores sharpened. */

import { z } from "zod";
import type { RopeScaling } from "./rope-scaling.js";
import { ropeFrequencies } from "./rope-tables.js";

const schema = z.object({
  factor: z.number().positive().nullish(),
  attention_factor: z.number().positive().nullish(),
  /** Rotations over the original context from which a frequency is kept, and up to which it is interpolated. */
  beta_fast: z.number().positive().nullish(),
  beta_slow: z.number().positive().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  /** Round the bounds of the ramp to whole dims. */
  truncate: z.boolean().default(true),
});

type Options = z.output<typeof schema>;

export const yarnRope: RopeScaling<Options> = {
  name: "yarn",
  schema,
  scale: (options, { rotaryDim, theta, maxPositions, originalMaxPositions }) => {
    const factor = options.factor ?? maxPositions / originalMaxPositions;
    // dim at which a frequency makes so many rotations over the original context (eq. 17 solved for the dim)
    const dimOf = (rotations: number): number =>
      (rotaryDim * Math.log(originalMaxPositions / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
    const [first, last] = [dimOf(options.beta_fast || 32), dimOf(options.beta_slow || 1)];
    const low = Math.max(options.truncate ? Math.floor(first) : first, 0);
    const high = Math.min(options.truncate ? Math.ceil(last) : last, rotaryDim - 1);
    const span = low === high ? 0.001 : high - low;
    const frequencies = ropeFrequencies(rotaryDim, theta).map((frequency, i) => {
      const interpolated = Math.min(Math.max((i - low) / span, 0), 1);
      return (frequency / factor) * interpolated + frequency * (1 - interpolated);
    });
    return { frequencies, attentionFactor: attentionFactorOf(options, factor) };
  },
};

/** Section 3.4: 0.1 ln(factor) + 1, unless the config says otherwise. */
function attentionFactorOf({ attention_factor, mscale, mscale_all_dim }: Options, factor: number): number {
  if (attention_factor != null) return attention_factor;
  const at = (weight: number): number => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  return mscale && mscale_all_dim ? at(mscale) / at(mscale_all_dim) : at(1);
}
