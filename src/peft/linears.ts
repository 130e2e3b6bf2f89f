/** @file The linear maps of a model by name. */

import { type LanguageModel, type LayerKind, linearShape } from "../nn/index.js";

export interface Linear {
  /** Without `.weight`. */
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** The weight is stored [in, out]. */
  readonly isTransposed: boolean;
}

export const lastPart = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

/** Linear maps of a kind of layer: local names with their sizes. */
export function linearsOf(kind: LayerKind): Linear[] {
  return kind.parameters.flatMap((spec) => {
    const sizes = linearShape(spec);
    const name = spec.name.slice(0, -".weight".length);
    return sizes ? [{ name, ...sizes, isTransposed: spec.matrix === "transposed" }] : [];
  });
}

/** Last parts of the names of all linear maps. */
export function linearNames(model: LanguageModel): string[] {
  const all = Object.values(model.kinds).flatMap(linearsOf);
  return [...new Set(all.map(({ name }) => lastPart(name)))];
}

/** Linear maps of all layers whose last part is a target, under their full names. */
export function targetedLinears(model: LanguageModel, targets: readonly string[]): Linear[] {
  return model.layers.flatMap(({ kind, prefix }) =>
    linearsOf(model.kinds[kind]!)
      .filter(({ name }) => targets.includes(lastPart(name)))
      .map((linear) => ({ ...linear, name: prefix + linear.name })),
  );
}

/** PEFT's `fan_in_fan_out`: the targets' weights are stored [in, out]. */
export function isStoredTransposed(model: LanguageModel, targets: readonly string[]): boolean {
  return targetedLinears(model, targets).some(({ isTransposed }) => isTransposed);
}
