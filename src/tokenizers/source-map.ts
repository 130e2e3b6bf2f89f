/** @file Leads from positions in a text that was changed before encoding back to the source text. */

/** Positions lie between code units: `start` is for the left edge of a span, `end` for its right edge. */
export interface SourceMap {
  start(position: number): number;
  end(position: number): number;
}
