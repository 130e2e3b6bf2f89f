/** @file Adapters as updates of linear maps, for engines that feed them to one program, each request its own. */

import { assert, UnsupportedError } from "../base/errors.js";
import type { LowRankUpdate, Parameters } from "../nn/index.js";
import { type Adapter, methodOf } from "./adapter.js";

const [DOWN, UP] = [".lora_A.weight", ".lora_B.weight"];

/**
 * What an adapter adds to each linear map, by the map's full name.
 * @throws UnsupportedError for adapters that are more, or something else, than low-rank matrices: those must be merged.
 */
export function lowRankUpdates(
  { method, config, trained }: Adapter,
  parameters: Parameters,
): Map<string, LowRankUpdate> {
  const scale = methodOf(method).lowRankScale?.(config);
  if (scale === undefined) throw mustBeMerged(`an adapter of method "${method}" is no low-rank update`);
  if (trained[0] !== undefined) throw mustBeMerged(`the adapter has values of its own for the base's ${trained[0]}`);
  const updates = new Map<string, LowRankUpdate>();
  for (const [key, down] of parameters) {
    if (!key.endsWith(DOWN)) continue;
    const name = key.slice(0, -DOWN.length);
    const up = parameters.get(name + UP);
    assert(up, "a checked adapter has both matrices of a map");
    updates.set(name, { down, up, scale });
  }
  return updates;
}

function mustBeMerged(reason: string): UnsupportedError {
  return new UnsupportedError(
    `${reason}, so it cannot be chosen per request; merge it into its base (tessera export --adapter) and serve that`,
  );
}
