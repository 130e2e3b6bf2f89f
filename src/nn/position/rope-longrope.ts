/** @file LongRoPE (Ding et al. 2024, arXiv:2402.13753): a factor per frequency, one list for short and one for long texts. */

import { z } from "zod";
import { ConfigError } from "../../base/errors.js";
import type { RopeScaling } from "./rope-scaling.js";
import { ropeFrequencies } from "./rope-tables.js";

const factors = z.array(z.number().positive());
const schema = z.object({
  short_factor: factors,
  long_factor: factors,
  factor: z.number().positive().nullish(),
  attention_factor: z.number().positive().nullish(),
});

/** The long factors serve tables for more positions than the model was first trained on, the short ones all others. */
export const longRope: RopeScaling<z.output<typeof schema>> = {
  name: "longrope",
  schema,
  scale: (options, { rotaryDim, theta, maxPositions, originalMaxPositions, length }) => {
    const divisors = length > originalMaxPositions ? options.long_factor : options.short_factor;
    if (divisors.length !== rotaryDim / 2) {
      throw new ConfigError(
        `longrope: expected ${rotaryDim / 2} short and long factors, one per frequency, got ${divisors.length}`,
      );
    }
    const factor = options.factor ?? maxPositions / originalMaxPositions;
    const sharpened = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositions));
    return {
      frequencies: ropeFrequencies(rotaryDim, theta).map((frequency, i) => frequency / divisors[i]!),
      attentionFactor: options.attention_factor ?? sharpened,
      changesAfter: originalMaxPositions,
    };
  },
};
