/**
 * @file How far the words of a text are those of the data, whatever their order (Rajpurkar et al. 2016, arXiv:1606.05250,
 * section 6.1), without case and punctuation; articles count, since not every language has them.
 */

import { words } from "../text/index.js";
import { type Metric, meanOver, type Pair } from "./metric.js";

export const tokenF1: Metric = {
  name: "token-f1",
  writing: "free",
  score: (pairs) => ({ "token-f1": meanOver(pairs, overlap) }),
};

/** Harmonic mean of the shares of each text's words that the other has too; of two texts without words 1. */
function overlap({ text, expected }: Pair): number {
  const [given, wanted] = [wordsOf(text), wordsOf(expected)];
  if (given.length + wanted.length === 0) return 1;
  const left = new Map<string, number>();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of given) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    common++;
  }
  return (2 * common) / (given.length + wanted.length);
}

const wordsOf = (text: string): string[] =>
  [...words(text)].map(({ start, end }) => text.slice(start, end).toLowerCase());
