/** @file An adapter as a program is fed it. */

import { ConfigError, ShapeError, UnsupportedError } from "../../base/errors.js";
import { asFloat32, type HostTensor, hostTensor } from "../../base/host-tensor.js";
import type { LowRankUpdate } from "../../nn/index.js";
import type { Feeds } from "../../runtime/index.js";
import type { AdaptedLinear, AdaptedLinears } from "./adapted-linears.js";

/** Updates of linear maps by full name: `model.layers.0.self_attn.q_proj`. */
export type AdapterUpdates = ReadonlyMap<string, LowRankUpdate>;

export interface EngineAdapter {
  readonly name: string;
  /** Of this adapter only: one that later has the same name has another. 0 is none. */
  readonly serial: number;
  readonly rank: number;
  readonly bytes: number;
  /** Every input of the adapted maps, [1, r, ·]; zeros of rank 1 where it changes nothing. */
  readonly feeds: Feeds;
}

/** The adapter of requests without one. */
export function noAdapter(linears: AdaptedLinears["linears"]): EngineAdapter {
  const all = [...linears.values()];
  const zeros = new Float32Array(
    Math.max(0, ...all.map(({ inFeatures, outFeatures }) => Math.max(inFeatures, outFeatures))),
  );
  const row = (width: number): HostTensor => hostTensor("float32", [1, 1, width], zeros.subarray(0, width));
  const feeds = all.flatMap(({ inFeatures, outFeatures, down, up }) => [
    [down, row(inFeatures)],
    [up, row(outFeatures)],
  ]);
  return { name: "", serial: 0, rank: 0, bytes: zeros.byteLength, feeds: Object.fromEntries(feeds) };
}

/** Copies an adapter's values. @throws ConfigError, ShapeError or UnsupportedError naming the first map that does not fit. */
export function engineAdapter(
  { name, serial, updates }: { readonly name: string; readonly serial: number; readonly updates: AdapterUpdates },
  {
    adapted,
    none,
    maxRank,
  }: { readonly adapted: AdaptedLinears; readonly none: EngineAdapter; readonly maxRank: number },
): EngineAdapter {
  if (updates.size === 0) throw new ConfigError(`adapter "${name}" changes nothing: it has no matrices`);
  const feeds: Record<string, HostTensor> = { ...none.feeds };
  let [rank, bytes] = [0, 0];
  for (const [key, update] of updates) {
    const linear = linearOf(name, key, adapted);
    const r = checkedRank(name, key, update, { linear, maxRank });
    feeds[linear.down] = hostTensor("float32", [1, r, linear.inFeatures], asFloat32(update.down).slice());
    feeds[linear.up] = scaledRows(update, r, linear);
    rank = Math.max(rank, r);
    bytes += 4 * r * (linear.inFeatures + linear.outFeatures);
  }
  return { name, serial, rank, bytes, feeds };
}

function linearOf(name: string, key: string, { linears, routed, targets }: AdaptedLinears): AdaptedLinear {
  const linear = linears.get(key);
  if (linear) return linear;
  if (routed.has(key)) {
    throw new UnsupportedError(
      `adapter "${name}" changes ${key}, an expert that sees only some tokens and takes no adapter per request; merge the adapter into its base`,
    );
  }
  const known = targets
    ? `the engine's targets are ${targets.join(", ")}`
    : `the base has ${[...linears.keys()].slice(0, 3).join(", ")} …`;
  throw new ConfigError(`adapter "${name}" changes ${key}, which takes no adapter here: ${known}`);
}

function checkedRank(
  name: string,
  key: string,
  { down, up }: LowRankUpdate,
  { linear: { inFeatures, outFeatures }, maxRank }: { readonly linear: AdaptedLinear; readonly maxRank: number },
): number {
  const r = down.shape[0] ?? 0;
  if (r < 1 || `${down.shape}` !== `${[r, inFeatures]}` || `${up.shape}` !== `${[outFeatures, r]}`) {
    throw new ShapeError(
      `adapter "${name}" does not fit this base: ${key} takes matrices of [r, ${inFeatures}] and [${outFeatures}, r], got [${down.shape}] and [${up.shape}]`,
    );
  }
  if (r > maxRank) {
    throw new ConfigError(
      `adapter "${name}": ${key} has rank ${r}, but the engine takes at most ${maxRank}; give a larger maxRank, or merge the adapter`,
    );
  }
  return r;
}

/** scale · upᵀ, [1, r, out]: rows of the rank lie together, so that zeros can follow them. */
function scaledRows({ up, scale }: LowRankUpdate, r: number, { outFeatures }: AdaptedLinear): HostTensor {
  const values = asFloat32(up);
  const out = new Float32Array(r * outFeatures);
  for (let k = 0; k < r; k++)
    for (let j = 0; j < outFeatures; j++) out[k * outFeatures + j] = scale * values[j * r + k]!;
  return hostTensor("float32", [1, r, outFeatures], out);
}
