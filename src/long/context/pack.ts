/** @file Parts of a document put together, the best first, as many as the budget allows. */

import type { Span } from "../../chunk/index.js";
import type { ContextRequest, KeptSpan, Packing } from "./context.js";

/** Stands where parts of the document are left out. */
export const gap = "\n[…]\n";

/** Parts in a row that did not fit before the search is given up: later ones are worse, and seldom smaller. */
const maxMisses = 8;

/**
 * Takes parts in the order given, skips those that do not fit.
 * @param parts best first; they do not overlap.
 */
export function packed({ document, counter, budget }: ContextRequest, parts: readonly KeptSpan[]): Packing {
  let kept: KeptSpan[] = [];
  let [text, numTokens, misses] = ["", 0, 0];
  for (const part of parts) {
    const more = [...kept, part].sort((a, b) => a.start - b.start);
    const longer = joined(document, more);
    const count = counter.count(longer);
    if (count > budget) {
      if (++misses === maxMisses) break;
      continue;
    }
    [kept, text, numTokens, misses] = [more, longer, count, 0];
  }
  return { text, spans: kept, numTokens };
}

/** Parts in order, as they stand where only white space is between them. */
function joined(document: string, parts: readonly Span[]): string {
  let text = "";
  for (const [i, { start, end }] of parts.entries()) {
    const before = i === 0 ? undefined : document.slice(parts[i - 1]!.end, start);
    if (before !== undefined) text += before.trim() === "" ? before : gap;
    text += document.slice(start, end);
  }
  return text;
}
