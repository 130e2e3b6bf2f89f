/** @file The last layers with the final norm and, where it is a matrix of its own, the head. */

import { z } from "zod";
import { ConfigError } from "../../base/errors.js";
import { selection } from "../selection.js";

const schema = z.object({
  /** Layers from the end. */
  layers: z.int().positive().default(2),
  /** Also an untied head's matrix. */
  head: z.boolean().default(true),
});

export const lastLayers = selection<z.output<typeof schema>>({
  name: "last-layers",
  schema,
  select: (base, { layers: count, head }) => {
    const layers = base.layers.filter((_, i) => base.caches[i] !== undefined);
    if (count > layers.length)
      throw new ConfigError(`the last ${count} layers: this ${base.family} model has ${layers.length}`);
    const ofLayers = layers
      .slice(-count)
      .flatMap(({ kind, prefix }) => base.kinds[kind]!.parameters.map(({ name }) => prefix + name));
    const isTied = base.head.weight.name === base.embedding.name;
    const ofHead = base.head.parameters.map(({ name }) => name);
    return [...ofLayers, ...ofHead, ...(head && !isTied ? [base.head.weight.name] : [])];
  },
});
