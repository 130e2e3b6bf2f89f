/** @file What a metric of written texts says of itself. */

/** What a model wrote, and what the data say in its place. */
export interface Pair {
  readonly text: string;
  readonly expected: string;
}

/** How texts are written for a metric: without constraint, as JSON of the task's schema, or as one of its answers. */
export type Writing = "free" | "schema" | "choices";

export interface MetricTask {
  /** The value of a text by the schema of the output; undefined for a text that it does not allow. */
  readonly parse?: (text: string) => unknown;
  /** Top-level properties of that schema. */
  readonly fields?: readonly string[];
}

/** Registered in `index.ts`. */
export interface Metric {
  readonly name: string;
  readonly writing: Writing;
  /** Shares from 0 to 1 by name, over all pairs; the metric's own name where it is one. */
  score(pairs: readonly Pair[], task: MetricTask): Readonly<Record<string, number>>;
}

/** The mean over pairs; 0 over none. */
export const meanOver = (pairs: readonly Pair[], score: (pair: Pair) => number | boolean): number =>
  pairs.reduce((sum, pair) => sum + Number(score(pair)), 0) / Math.max(1, pairs.length);

/** Equal but for white space around them. */
export const isSame = ({ text, expected }: Pair): boolean => text.trim() === expected.trim();
