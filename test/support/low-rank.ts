/** @file Random low-rank updates of a model's linear maps, and the weights with them merged. */

import { type HostTensor, hostTensor } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import {
  type LanguageModel,
  type LowRankUpdate,
  layerSpecs,
  linearShape,
  type Parameters,
} from "../../src/nn/index.js";

export interface RandomUpdates {
  readonly rank: number;
  readonly seed: number;
  /** Which maps, by full name. Default: all. */
  readonly of?: (name: string) => boolean;
  /** Size of the change of a weight. Default 0.3. */
  readonly size?: number;
}

export function randomUpdates(
  model: LanguageModel,
  { rank, seed, of = () => true, size = 0.3 }: RandomUpdates,
): Map<string, LowRankUpdate> {
  const rng = new Rng(seed);
  const matrix = (rows: number, columns: number): HostTensor =>
    hostTensor(
      "float32",
      [rows, columns],
      Float32Array.from({ length: rows * columns }, () => rng.normal()),
    );
  const updates = new Map<string, LowRankUpdate>();
  for (const spec of layerSpecs(model)) {
    const linear = linearShape(spec);
    const name = spec.name.replace(/\.weight$/, "");
    if (!linear || !of(name)) continue;
    const [down, up] = [matrix(rank, linear.inFeatures), matrix(linear.outFeatures, rank)];
    updates.set(name, { down, up, scale: size / Math.sqrt(rank) });
  }
  return updates;
}

/** The weights of the model that base and updates are together. */
export function mergedUpdates(
  model: LanguageModel,
  parameters: Parameters,
  updates: ReadonlyMap<string, LowRankUpdate>,
): Map<string, HostTensor> {
  const merged = new Map(parameters);
  const transposed = new Set(layerSpecs(model).flatMap(({ name, matrix }) => (matrix === "transposed" ? [name] : [])));
  for (const [name, { down, up, scale }] of updates) {
    const weight = merged.get(`${name}.weight`)!;
    const [rank, width] = down.shape as [number, number];
    const size = up.shape[0]!;
    const data = Float32Array.from(weight.data as Float32Array);
    for (let o = 0; o < size; o++) {
      for (let i = 0; i < width; i++) {
        let sum = 0;
        for (let k = 0; k < rank; k++) sum += Number(up.data[o * rank + k]) * Number(down.data[k * width + i]);
        data[transposed.has(`${name}.weight`) ? i * size + o : o * width + i]! += scale * sum;
      }
    }
    merged.set(`${name}.weight`, hostTensor("float32", weight.shape, data));
  }
  return merged;
}
