/** @file Position interpolation (Chen et al. 2023, arXiv:2306.15595, eq. 4): positions divided by a factor. */

import { z } from "zod";
import type { RopeScaling } from "./rope-scaling.js";
import { ropeFrequencies } from "./rope-tables.js";

const schema = z.object({ factor: z.number().positive() });

export const linearRope: RopeScaling<z.output<typeof schema>> = {
  name: "linear",
  schema,
  scale: ({ factor }, { rotaryDim, theta }) => ({
    frequencies: ropeFrequencies(rotaryDim, theta).map((frequency) => frequency / factor),
    attentionFactor: 1,
  }),
};
