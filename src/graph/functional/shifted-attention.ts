/** @file Shifted sparse attention, S²-Attn (LongLoRA, Chen et al. 2023, arXiv:2309.12307, section 3.2). */

import { ShapeError } from "../../base/errors.js";
import { concat, reshape, slice, transpose } from "../ops/index.js";
import type { Tensor } from "../tensor.js";
import { type CausalAttentionOptions, causalAttention } from "./attention.js";

export interface ShiftedAttentionOptions extends Omit<CausalAttentionOptions, "bias"> {
  /** Tokens of a group; even, and a divisor of the sequence's. */
  readonly group: number;
}

/**
 * Causal attention within groups of tokens. For the second half of the heads, groups begin half a group later, so that
 * what is known passes from group to group; the two half groups at the ends stay apart (appendix B.3: nothing leaks from
 * the end to the start). Heads that share keys stay together, but where all do, their queries are parted. Work and memory
 * grow with T · group. q [B, H, T, C], k and v [B, G, T, C] → [B, H, T, C].
 * @throws ShapeError when the group does not divide the sequence into whole halves.
 */
export function shiftedAttention(q: Tensor, k: Tensor, v: Tensor, options: ShiftedAttentionOptions): Tensor {
  const { group, ...rest } = options;
  const [heads, time, groups] = [Number(q.shape[1]), Number(q.shape[2]), Number(k.shape[1])];
  if (!(Number.isInteger(group) && group % 2 === 0 && time % group === 0)) {
    throw new ShapeError(
      `shifted attention: groups of ${group} tokens do not cut ${time} tokens into whole groups with whole halves; choose a length that is a multiple of twice the number of groups`,
    );
  }
  if (heads === 1) return inGroups([q, k, v], { ...rest, first: group, group });
  const keyHeads = Math.ceil(groups / 2);
  const queryHeads = groups === 1 ? Math.ceil(heads / 2) : (keyHeads * heads) / groups;
  const half = (x: Tensor, start: number, end: number): Tensor => (groups === 1 ? x : slice(x, 1, start, end));
  const plain = [slice(q, 1, 0, queryHeads), half(k, 0, keyHeads), half(v, 0, keyHeads)] as const;
  const shifted = [slice(q, 1, queryHeads, heads), half(k, keyHeads, groups), half(v, keyHeads, groups)] as const;
  return concat(
    [inGroups(plain, { ...rest, first: group, group }), inGroups(shifted, { ...rest, first: group / 2, group })],
    1,
  );
}

interface GroupOptions extends Omit<CausalAttentionOptions, "bias"> {
  /** Tokens of the first group; the last has what is left. */
  readonly first: number;
  readonly group: number;
}

/** Groups of equal size are rows of one batch. */
function inGroups(parts: readonly [Tensor, Tensor, Tensor], { first, group, ...options }: GroupOptions): Tensor {
  const time = Number(parts[0].shape[2]);
  const wholeEnd = first + Math.floor((time - first) / group) * group;
  const ranges = [
    [0, first, first],
    [first, wholeEnd, group],
    [wholeEnd, time, time - wholeEnd],
  ] as const;
  const outputs = ranges
    .filter(([start, end]) => end > start)
    .map(([start, end, size]) => {
      const cut = (x: Tensor): Tensor => intoBatch(slice(x, 2, start, end), size);
      const { segments, tile } = options;
      const attended = causalAttention(cut(parts[0]), cut(parts[1]), cut(parts[2]), {
        ...options,
        tile: Math.min(tile, size),
        ...(segments && {
          segments: reshape(slice(segments, 1, start, end), [Number(parts[0].shape[0]) * ((end - start) / size), size]),
        }),
      });
      return outOfBatch(attended, Number(parts[0].shape[0]));
    });
  return concat(outputs, 2);
}

/** [B, H, n · size, C] → [B · n, H, size, C]. */
function intoBatch(x: Tensor, size: number): Tensor {
  const [batch, heads, time, width] = x.shape as readonly [number, number, number, number];
  const apart = reshape(x, [batch, heads, time / size, size, width]);
  return reshape(transpose(apart, [0, 2, 1, 3, 4]), [(batch * time) / size, heads, size, width]);
}

/** [B · n, H, size, C] → [B, H, n · size, C]. */
function outOfBatch(x: Tensor, batch: number): Tensor {
  const [all, heads, size, width] = x.shape as readonly [number, number, number, number];
  const apart = reshape(x, [batch, all / batch, heads, size, width]);
  return reshape(transpose(apart, [0, 2, 1, 3, 4]), [batch, heads, (all / batch) * size, width]);
}
