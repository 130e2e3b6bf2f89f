/** @file BitFit (Ben Zaken et al. 2022, arXiv:2106.10199, section 3): biases alone, all of them or some. */

import { z } from "zod";
import { ConfigError } from "../../base/errors.js";
import { has, moduleOf, parameterGroups } from "../groups.js";
import { lastPart } from "../linears.js";
import { selection } from "../selection.js";

const schema = z.object({
  /** Modules whose biases are trained, by the last part of their names; all without it. The paper's two: query and the first of the MLP. */
  modules: z.array(z.string().min(1)).min(1).nullable().default(null),
});

export const bitfit = selection<z.output<typeof schema>>({
  name: "bitfit",
  schema,
  select: (base, { modules }) => {
    const biases = parameterGroups.biases(base);
    if (biases.length === 0) {
      throw new ConfigError(
        `bitfit trains biases, but this ${base.family} model has none; ${has(base)}; "ln" trains its norms, "lora" its linear maps`,
      );
    }
    const partOf = (name: string): string => lastPart(moduleOf(name));
    const there = [...new Set(biases.map(partOf))];
    const unknown = modules?.find((module) => !there.includes(module));
    if (unknown !== undefined)
      throw new ConfigError(`bitfit: no module "${unknown}" has a bias; these have: ${there.join(", ")}`);
    return biases.filter((name) => modules?.includes(partOf(name)) ?? true);
  },
});
