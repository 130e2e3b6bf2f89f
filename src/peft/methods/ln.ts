/** @file LN tuning (Qi et al. 2022, arXiv:2211.08682, section 3.1): gains and biases of the norms. */

import { z } from "zod";
import { moduleOf, parametersNamed } from "../groups.js";
import { lastPart } from "../linears.js";
import { selection } from "../selection.js";

export const ln = selection({
  name: "ln",
  schema: z.object({}),
  select: (base) => parametersNamed(base, ["norms"]),
  format: {
    peftType: "LN_TUNING",
    keys: (_, trained) => ({ target_modules: [...new Set(trained.map(moduleOf))] }),
    keyOf: (name) => `base_model.model.${moduleOf(name)}.ln_tuning_layers.${lastPart(name)}`,
  },
});
