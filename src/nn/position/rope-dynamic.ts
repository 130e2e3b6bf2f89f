/** @file Dynamic NTK scaling (bloc97 and emozilla 2023): a larger base once a sequence is longer than the model's context. */

import { z } from "zod";
import type { RopeScaling } from "./rope-scaling.js";
import { ropeFrequencies } from "./rope-tables.js";

const schema = z.object({ factor: z.number().positive() });

/**
 * The base depends on the length that the tables are made for, not on each sequence: keys that a cache holds were
 * rotated once, so a base that changed while a sequence grows would mix two rotations.
 */
export const dynamicRope: RopeScaling<z.output<typeof schema>> = {
  name: "dynamic",
  schema,
  scale: ({ factor }, { rotaryDim, theta, maxPositions, length }) => {
    const stretch = (factor * Math.max(length, maxPositions)) / maxPositions - (factor - 1);
    const base = theta * stretch ** (rotaryDim / (rotaryDim - 2));
    return { frequencies: ropeFrequencies(rotaryDim, base), attentionFactor: 1 };
  },
};
