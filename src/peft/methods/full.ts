/** @file Full fine-tuning: every parameter of the model. */

import { z } from "zod";
import { parameterSpecs } from "../../nn/index.js";
import { selection } from "../selection.js";

export const full = selection({
  name: "full",
  schema: z.object({}),
  select: (base) => parameterSpecs(base).map(({ name }) => name),
});
