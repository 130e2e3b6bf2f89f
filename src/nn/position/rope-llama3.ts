/** @file Llama 3.1's scaling (Grattafiori et al. 2024, arXiv:2407.21783, section 3.4.2): long waves stretched, short ones kept. */

import { z } from "zod";
import type { RopeScaling } from "./rope-scaling.js";
import { ropeFrequencies } from "./rope-tables.js";

const schema = z.object({
  factor: z.number().positive(),
  low_freq_factor: z.number().positive(),
  high_freq_factor: z.number().positive(),
});

export const llama3Rope: RopeScaling<z.output<typeof schema>> = {
  name: "llama3",
  schema,
  scale: ({ factor, low_freq_factor: low, high_freq_factor: high }, { rotaryDim, theta, originalMaxPositions }) => {
    const frequencies = ropeFrequencies(rotaryDim, theta).map((frequency) => {
      // turns that the frequency makes over the original context
      const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
      if (turns > high) return frequency;
      if (turns < low) return frequency / factor;
      const smooth = (turns - low) / (high - low);
      return (1 - smooth) * (frequency / factor) + smooth * frequency;
    });
    return { frequencies, attentionFactor: 1 };
  },
};
