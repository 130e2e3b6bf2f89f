/** @file Sorts the suffixes of many words by their first symbols, to find the substrings that come back. */

/** Words one after another, as symbols from 1 on; `ends[i]` is where the word of position `i` ends. */
export interface SymbolText {
  readonly symbols: Int32Array;
  readonly ends: Int32Array;
  /** Symbols are at most this. */
  readonly maxSymbol: number;
}

/**
 * Positions in the order of their suffixes, which end with their word. Compares the first `depth` symbols, rounded up to
 * a power of two: prefix doubling (Manber and Myers 1993), one counting sort per doubling, O(n log depth).
 */
export function sortSuffixes({ symbols, ends, maxSymbol }: SymbolText, depth: number): Int32Array {
  const length = symbols.length;
  let ranks = symbols.slice();
  const order = new Int32Array(length);
  const spare = new Int32Array(length);
  let spareRanks = new Int32Array(length);
  const starts = new Int32Array(Math.max(maxSymbol, length) + 2);
  sortByRank(
    Int32Array.from({ length }, (_, i) => i),
    ranks,
    starts,
    order,
  );
  for (let width = 1; width < depth; width *= 2) {
    // by the second half first: suffixes without one, then those whose second half comes early
    let filled = 0;
    for (let i = 0; i < length; i++) if (i + width >= ends[i]!) spare[filled++] = i;
    for (let i = 0; i < length; i++) {
      const at = order[i]! - width;
      if (at >= 0 && at + width < ends[at]!) spare[filled++] = at;
    }
    sortByRank(spare, ranks, starts, order);
    const numRanks = rankAnew(order, ranks, ends, width, spareRanks);
    [ranks, spareRanks] = [spareRanks, ranks];
    if (numRanks === length) break;
  }
  return order;
}

/** Stable counting sort of `positions` by their ranks, into `out`. */
function sortByRank(positions: Int32Array, ranks: Int32Array, starts: Int32Array, out: Int32Array): void {
  starts.fill(0);
  for (let i = 0; i < ranks.length; i++) starts[ranks[i]! + 1]!++;
  for (let rank = 1; rank < starts.length; rank++) starts[rank]! += starts[rank - 1]!;
  for (let i = 0; i < positions.length; i++) out[starts[ranks[positions[i]!]!]!++] = positions[i]!;
}

/** Ranks of prefixes twice as long, from 1 on; returns how many there are. */
function rankAnew(order: Int32Array, ranks: Int32Array, ends: Int32Array, width: number, out: Int32Array): number {
  const secondRank = (at: number): number => (at + width < ends[at]! ? ranks[at + width]! : 0);
  let rank = 0;
  for (let i = 0; i < order.length; i++) {
    const at = order[i]!;
    const before = i > 0 ? order[i - 1]! : -1;
    const isSame = before >= 0 && ranks[at] === ranks[before] && secondRank(at) === secondRank(before);
    if (!isSame) rank++;
    out[at] = rank;
  }
  return rank;
}

/** By place in `order`: how many symbols, at most `depth`, the suffix shares with the one before it. */
export function commonPrefixes({ symbols, ends }: SymbolText, order: Int32Array, depth: number): Uint8Array {
  const shared = new Uint8Array(order.length);
  for (let i = 1; i < order.length; i++) {
    const a = order[i - 1]!;
    const b = order[i]!;
    const most = Math.min(depth, ends[a]! - a, ends[b]! - b);
    let length = 0;
    while (length < most && symbols[a + length] === symbols[b + length]) length++;
    shared[i] = length;
  }
  return shared;
}
