/** @file What tuning did to a model's weights: spectra of weights and of their changes, and the ranks that would hold them. */

import { ConfigError } from "../base/errors.js";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { rankForEnergy, singularValues } from "../compress/index.js";
import { type LanguageModel, layerSpecs, linearShape, type Parameters } from "../nn/index.js";

export interface WeightSpectrum {
  /** Full name of the parameter. */
  readonly name: string;
  /** Singular values of the weight before, the largest first. */
  readonly weight: Float64Array;
  /** Singular values of what was added to it. */
  readonly change: Float64Array;
  /** Ranks that hold the share of each one's energy: for the change, the rank of an adapter that would do. */
  readonly weightRank: number;
  readonly changeRank: number;
}

export interface SpectraOptions {
  /** Share of the energy to hold. Default 0.9. */
  readonly energy?: number;
  /** Last parts of the names of the linear maps to look at: `q_proj`. Default: all. */
  readonly targets?: readonly string[];
}

/**
 * Spectra of the linear maps of a model's layers before and after tuning, one at a time: they take a while each. For an
 * adapter, `after` holds the weights it is merged into.
 * @throws ConfigError when a target is no linear map, or a weight is missing on one side.
 */
export function* tuningSpectra(
  model: LanguageModel,
  before: Parameters,
  after: Parameters,
  { energy = 0.9, targets }: SpectraOptions = {},
): Generator<WeightSpectrum> {
  const partOf = (name: string): string => name.split(".").at(-2) ?? name;
  const linears = layerSpecs(model).filter((spec) => linearShape(spec));
  const parts = new Set(linears.map(({ name }) => partOf(name)));
  const unknown = targets?.find((target) => !parts.has(target));
  if (unknown !== undefined)
    throw new ConfigError(`spectra: no linear map is called ${unknown}; this model has: ${[...parts].join(", ")}`);
  for (const { name } of linears) {
    if (targets && !targets.includes(partOf(name))) continue;
    const [old, now] = [before.get(name), after.get(name)];
    if (!old || !now)
      throw new ConfigError(`spectra: parameter "${name}" is missing ${old ? "after" : "before"} tuning`);
    const [weight, change] = [singularValues(old), singularValues(difference(now, old))];
    yield {
      name,
      weight,
      change,
      weightRank: rankForEnergy(weight, energy),
      changeRank: rankForEnergy(change, energy),
    };
  }
}

function difference(a: HostTensor, b: HostTensor): HostTensor {
  return hostTensor(
    "float32",
    a.shape,
    Float32Array.from(a.data as Float32Array, (value, i) => value - Number(b.data[i])),
  );
}
