/** @file Parts of a document put together, the best first, as many as the budget allows. */

import type { Span } from "../../chunk/index.js";
import { takeFitting } from "../../retrieval/index.js";
import type { ContextRequest, KeptSpan, Packing } from "./context.js";

/** Stands where parts of the document are left out. */
export const gap = "\n[…]\n";

/**
 * Takes parts in the order given, skips those that do not fit.
 * @param parts best first; they do not overlap.
 */
export function packed({ document, counter, budget }: ContextRequest, parts: readonly KeptSpan[]): Packing {
  const { composed, numTokens } = takeFitting(parts, (kept) => joined(document, kept), counter, budget);
  return { ...composed, numTokens };
}

/** Parts in order, as they stand where only white space is between them. */
function joined<Part extends Span>(document: string, parts: readonly Part[]): { text: string; spans: Part[] } {
  const spans = [...parts].sort((a, b) => a.start - b.start);
  let text = "";
  for (const [i, { start, end }] of spans.entries()) {
    const before = i === 0 ? undefined : document.slice(spans[i - 1]!.end, start);
    if (before !== undefined) text += before.trim() === "" ? before : gap;
    text += document.slice(start, end);
  }
  return { text, spans };
}
