/** @file Rotary frequencies without scaling. */

import { z } from "zod";
import type { RopeScaling } from "./rope-scaling.js";
import { ropeFrequencies } from "./rope-tables.js";

const schema = z.object({});

export const plainRope: RopeScaling<z.output<typeof schema>> = {
  name: "default",
  schema,
  scale: (_, { rotaryDim, theta }) => ({ frequencies: ropeFrequencies(rotaryDim, theta), attentionFactor: 1 }),
};
