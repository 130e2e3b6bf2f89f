/** @file What stages over whole sequences share: inputs, dropout, and attention of all to all. */

import { deriveSeed } from "../base/rng.js";
import { type Aval, dropout, fullAttention, mulDims, reshape, type Tensor, transpose } from "../graph/index.js";
import type { DropoutContext, EncoderAttention } from "../nn/encoder.js";
import type { ParameterSpec } from "../nn/index.js";

/** What a stage is built for: "train" has dropout, "evaluate" has none. */
export type StageMode = "train" | "evaluate";

/** Dropout by the input `seed` of a graph: a mask of its own for each call. */
export function dropoutContext(seed: Tensor | undefined): DropoutContext & { nextSalt(): number } {
  let numMasks = 0;
  const nextSalt = (): number => deriveSeed(numMasks++, "dropout");
  return {
    nextSalt,
    dropout: (x, rate) => (seed && rate > 0 ? dropout(x, seed, { rate, salt: nextSalt() }) : x),
  };
}

/** The input that dropout reads, where a stage has it. */
export const seedInput = (mode: StageMode): Record<string, Aval> =>
  mode === "train" ? { seed: { dtype: "int32", shape: [] } } : {};

/** Avals of parameters by name. */
export const weightInputs = (specs: readonly ParameterSpec[]): Record<string, Aval> =>
  Object.fromEntries(specs.map(({ name, shape }): [string, Aval] => [name, { dtype: "float32", shape }]));

/** Parameters of a stage: each local name with the prefix before it. */
export const prefixed = (specs: readonly ParameterSpec[], prefix = ""): Record<string, string> =>
  Object.fromEntries(specs.map(({ name }) => [name, prefix + name]));

/** x [B, T, H · C] → [B, H, T, C]. */
export function splitHeads(x: Tensor, numHeads: number): Tensor {
  const [batch, time, width] = x.shape;
  return transpose(reshape(x, [batch!, time!, numHeads, Number(width) / numHeads]), [0, 2, 1, 3]);
}

/** x [B, H, T, C] → [B, T, H · C]. */
export function joinHeads(x: Tensor): Tensor {
  const [batch, heads, time, headDim] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch!, time!, mulDims(heads!, headDim!)]);
}

/** Attention over whole sequences as a stage builds it. `mask` [B, keys] says which keys there are; without it, all. */
export function attendFully(
  { q, k, v, numHeads, scale, bias, dropout: rate = 0 }: EncoderAttention,
  mask: Tensor | undefined,
  seed: Tensor | undefined,
  salt: number,
  tile: number | undefined,
): Tensor {
  const isDropping = seed !== undefined && rate > 0;
  const drop = (p: Tensor, start: number): Tensor =>
    dropout(p, seed!, { rate, salt: deriveSeed(salt, `queries ${start}`) });
  const attended = fullAttention(splitHeads(q, numHeads), splitHeads(k, numHeads), splitHeads(v, numHeads), {
    scale,
    ...(mask && { mask }),
    ...(tile !== undefined && { tile: Math.min(tile, Number(q.shape[1])) }),
    ...(bias && { bias }),
    ...(isDropping && { dropout: drop }),
  });
  return joinHeads(attended);
}
