/** @file The first, far too large vocabulary of Unigram training: characters and frequent substrings of words. */

import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import { codePointTable } from "./alphabet.js";
import { commonPrefixes, type SymbolText, sortSuffixes } from "./suffix-array.js";
import type { WordCounts } from "./word-counts.js";

/** Longer words are cut for training, so that sums over all their segmentations stay within float64 (2^511). */
const maxWordSymbols = 512;

/** The words as symbols: the alphabet's characters by place in it, from 1 on. */
export interface TrainingText extends SymbolText {
  readonly alphabet: readonly string[];
  /** By position: how often its word occurs. */
  readonly weights: Float64Array;
}

/** Substrings by falling score; piece `i` stands at the places `order[first[i]]` to `order[last[i]]` of the text. */
export interface Seeds {
  readonly order: Int32Array;
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly lengths: Uint8Array;
  /** Occurrences, weighted. */
  readonly frequencies: Float64Array;
}

/** Lays out the words; a character outside the alphabet ends one word and begins another. */
export function layOut(words: WordCounts, alphabet: readonly string[]): TrainingText {
  const symbolOf = codePointTable(alphabet.map((character, i) => [character, i + 1]));
  const symbols = new Int32Array(words.numCharacters);
  const ends = new Int32Array(words.numCharacters);
  const weights = new Float64Array(words.numCharacters);
  let length = 0;
  words.forEach((word, count) => {
    let start = length;
    const endWord = (): void => {
      ends.fill(length, start, length);
      weights.fill(count, start, length);
      start = length;
    };
    for (let i = 0; i < word.length; ) {
      const codePoint = codePointAt(word, i, word.length);
      const symbol = symbolOf[codePoint]!;
      if (symbol > 0) symbols[length++] = symbol;
      if (symbol < 0 || length - start === maxWordSymbols) endWord();
      i += utf16Width(codePoint);
    }
    endWord();
  });
  return {
    alphabet,
    symbols: symbols.subarray(0, length),
    ends: ends.subarray(0, length),
    weights: weights.subarray(0, length),
    maxSymbol: alphabet.length,
  };
}

/**
 * Substrings of 2 to `maxLength` symbols that occur at least `minFrequency` times: those after which the texts differ
 * (inner nodes of the suffix tree), and whole words. At most `maxSeeds`, the highest frequency times length first.
 */
export function findSeeds(text: TrainingText, maxLength: number, minFrequency: number, maxSeeds: number): Seeds {
  const order = sortSuffixes(text, maxLength);
  const shared = commonPrefixes(text, order, maxLength);
  const before = weightsBefore(order, text.weights);
  const firsts: number[] = [];
  const lasts: number[] = [];
  const lengths: number[] = [];
  const add = (first: number, last: number, length: number): void => {
    if (length < 2 || before[last + 1]! - before[first]! < minFrequency) return;
    firsts.push(first);
    lasts.push(last);
    lengths.push(length);
  };
  forEachInterval(shared, add);
  for (let i = 0; i < order.length; i++) {
    const at = order[i]!;
    const isWord = at === 0 || text.ends[at - 1] === at;
    const length = text.ends[at]! - at;
    const isInterval = shared[i] === length || shared[i + 1] === length;
    if (isWord && length <= maxLength && !isInterval) add(i, i, length);
  }
  const frequency = (i: number): number => before[lasts[i]! + 1]! - before[firsts[i]!]!;
  const scores = Float64Array.from(lengths, (length, i) => length * frequency(i));
  const best = highest(scores, maxSeeds);
  return {
    order,
    first: Int32Array.from(best, (i) => firsts[i]!),
    last: Int32Array.from(best, (i) => lasts[i]!),
    lengths: Uint8Array.from(best, (i) => lengths[i]!),
    frequencies: Float64Array.from(best, frequency),
  };
}

function weightsBefore(order: Int32Array, weights: Float64Array): Float64Array {
  const before = new Float64Array(order.length + 1);
  for (let i = 0; i < order.length; i++) before[i + 1] = before[i]! + weights[order[i]!]!;
  return before;
}

/** Visits each maximal stretch of `order` with a common prefix, with that prefix's length. */
function forEachInterval(shared: Uint8Array, visit: (first: number, last: number, length: number) => void): void {
  const openFirsts: number[] = [];
  const openLengths: number[] = [];
  for (let i = 1; i <= shared.length; i++) {
    const length = i < shared.length ? shared[i]! : 0;
    let first = i - 1;
    while (openLengths.length > 0 && openLengths.at(-1)! > length) {
      first = openFirsts.pop()!;
      visit(first, i - 1, openLengths.pop()!);
    }
    if (length > 0 && openLengths.at(-1) !== length) {
      openFirsts.push(first);
      openLengths.push(length);
    }
  }
}

/** Indices of the `count` highest scores, highest first and the earlier first among equals. */
function highest(scores: Float64Array, count: number): Int32Array {
  const threshold = scores.length > count ? scores.slice().sort()[scores.length - count]! : Number.NEGATIVE_INFINITY;
  const above: number[] = [];
  const equal: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    if (scores[i]! > threshold) above.push(i);
    else if (scores[i] === threshold) equal.push(i);
  }
  const chosen = Int32Array.from([...above.slice(0, count), ...equal.slice(0, Math.max(0, count - above.length))]);
  return chosen.sort((a, b) => scores[b]! - scores[a]! || a - b);
}
