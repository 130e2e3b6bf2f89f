/** @file Leads from positions in a text that was changed before encoding back to the source text. */

/** Positions lie between code units: `start` is for the left edge of a span, `end` for its right edge. */
export interface SourceMap {
  start(position: number): number;
  end(position: number): number;
}

/** The map of `" " + source.slice(start, …)`: the space has no place in the source. */
export function prefixedMap(start: number, source: SourceMap | undefined): SourceMap {
  return {
    start: (position) => place(start + Math.max(0, position - 1), source, "start"),
    end: (position) => (position <= 1 ? place(start, source, "start") : place(start + position - 1, source, "end")),
  };
}

function place(position: number, source: SourceMap | undefined, side: "start" | "end"): number {
  return source === undefined ? position : source[side](position);
}
