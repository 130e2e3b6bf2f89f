/** @file Fewer points that draw the same line: the lowest and the highest of every stretch stay. */

/** Places of x in order and values; a value that is missing is undefined. */
export interface Line {
  readonly xs: readonly number[];
  readonly ys: readonly (number | undefined)[];
}

/**
 * Leaves at most about two points per stretch of x, so that no peak is lost.
 * @param stretches how many there are from the first x to the last: one per pixel draws what all points would.
 */
export function thinOut({ xs, ys }: Line, stretches: number): { xs: number[]; ys: number[] } {
  const kept: { xs: number[]; ys: number[] } = { xs: [], ys: [] };
  const keep = (i: number): void => {
    kept.xs.push(xs[i]!);
    kept.ys.push(ys[i]!);
  };
  const known = xs.flatMap((_, i) => (ys[i] === undefined ? [] : [i]));
  if (known.length <= 2 * stretches) {
    for (const i of known) keep(i);
    return kept;
  }
  const [first, last] = [xs[known[0]!]!, xs[known.at(-1)!]!];
  const stretchOf = (i: number): number => Math.floor(((xs[i]! - first) / (last - first)) * stretches);
  for (let at = 0; at < known.length; ) {
    let [low, high] = [known[at]!, known[at]!];
    const stretch = stretchOf(low);
    for (; at < known.length && stretchOf(known[at]!) === stretch; at++) {
      const i = known[at]!;
      if (ys[i]! < ys[low]!) low = i;
      if (ys[i]! > ys[high]!) high = i;
    }
    keep(Math.min(low, high));
    if (low !== high) keep(Math.max(low, high));
  }
  return kept;
}

/** The part of a line between two places, and one point beyond each end so that it goes to the edge. */
export function within({ xs, ys }: Line, from: number, to: number): Line {
  const start = Math.max(0, xs.findIndex((x) => x >= from) - 1);
  const after = xs.findIndex((x) => x > to);
  const end = after < 0 ? xs.length : after + 1;
  return { xs: xs.slice(start, end), ys: ys.slice(start, end) };
}

/** The mean of so many values before and at each place: what a noisy line is about. */
export function smoothed({ xs, ys }: Line, window: number): Line {
  const recent: number[] = [];
  let sum = 0;
  const means = ys.map((y) => {
    if (y === undefined) return undefined;
    recent.push(y);
    sum += y;
    if (recent.length > window) sum -= recent.shift()!;
    return sum / recent.length;
  });
  return { xs, ys: means };
}
