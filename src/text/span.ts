/** @file Where something stands in a text. */

/** A stretch of a source text, in UTF-16 code units, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
