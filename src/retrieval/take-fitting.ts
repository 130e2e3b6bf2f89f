/** @file As many parts of a text as a budget of tokens allows, the best first. */
import type { TokenCounter } from "../chunk/chunk.js";

/** Parts in a row that did not fit before the search is given up: later ones are worse, and seldom smaller. */
const maxMisses = 8;

export interface Fitting<Part, Composed> {
  /** Parts that fit, in the order given. */
  readonly kept: readonly Part[];
  readonly left: readonly Part[];
  /** What `compose` made of those kept. */
  readonly composed: Composed;
  /** Of its text; never more than the budget. */
  readonly numTokens: number;
}

/**
 * Takes parts in the order given and skips those that do not fit. The text is counted as a whole each time, because tokens
 * of parts do not add up to those of the whole.
 * @param parts best first.
 * @param compose what parts make together; of none, an empty text.
 */
export function takeFitting<Part, Composed extends { readonly text: string }>(
  parts: readonly Part[],
  compose: (parts: readonly Part[]) => Composed,
  counter: TokenCounter,
  budget: number,
): Fitting<Part, Composed> {
  let [kept, composed, numTokens, misses]: [readonly Part[], Composed, number, number] = [[], compose([]), 0, 0];
  const left: Part[] = [];
  for (const part of parts) {
    const longer = misses < maxMisses ? compose([...kept, part]) : undefined;
    const count = longer === undefined ? Number.POSITIVE_INFINITY : counter.count(longer.text);
    if (longer === undefined || count > budget) {
      left.push(part);
      misses++;
    } else {
      [kept, composed, numTokens, misses] = [[...kept, part], longer, count, 0];
    }
  }
  return { kept, left, composed, numTokens };
}
