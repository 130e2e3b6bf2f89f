import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { commonPrefixes, sortSuffixes } from "./suffix-array.js";
import { findSeeds, layOut } from "./unigram-seeds.js";
import { WordCounts } from "./word-counts.js";

const wholeWords = {
  normalize: (text: string) => text,
  pretokenizer: {
    scan: (_: string, start: number, end: number, visit: (start: number, end: number) => boolean) =>
      start === end || visit(start, end),
  },
};

function countsOf(words: readonly string[]): WordCounts {
  const counts = new WordCounts();
  for (const word of words) counts.add(word, wholeWords);
  return counts;
}

function randomWords(rng: Rng, alphabet: string): string[] {
  return Array.from({ length: 1 + rng.below(12) }, () =>
    Array.from({ length: 1 + rng.below(25) }, () => alphabet[rng.below(alphabet.length)]!).join(""),
  );
}

/** Words as a layout gives them back, and each suffix as its text. */
function suffixesOf(words: readonly string[], alphabet: string) {
  const text = layOut(countsOf(words), [...alphabet]);
  const suffix = (at: number): string =>
    Array.from(text.symbols.subarray(at, text.ends[at]!), (symbol) => alphabet[symbol - 1]).join("");
  return { text, suffix };
}

describe("sortSuffixes", () => {
  it.each([4, 16])("orders by the first %d symbols", (depth) => {
    const rng = new Rng(1);
    for (let round = 0; round < 60; round++) {
      const alphabet = ["ab", "abcd", "a"][rng.below(3)]!;
      const { text, suffix } = suffixesOf(randomWords(rng, alphabet), alphabet);
      const order = sortSuffixes(text, depth);
      const heads = Array.from(order, (at) => suffix(at).slice(0, depth));
      expect(heads).toEqual([...heads].sort());
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from(text.symbols.keys()));
      const shared = commonPrefixes(text, order, depth);
      for (let i = 1; i < order.length; i++) {
        let length = 0;
        while (length < depth && heads[i - 1]![length] !== undefined && heads[i - 1]![length] === heads[i]![length])
          length++;
        expect(shared[i]).toBe(length);
      }
    }
  });
});

describe("findSeeds", () => {
  it("counts every repeated substring that has no longer one with the same places, and no other", () => {
    const rng = new Rng(2);
    for (let round = 0; round < 60; round++) {
      const words = randomWords(rng, "abc");
      const { text, suffix } = suffixesOf(words, "abc");
      const { order, first, last, lengths, frequencies } = findSeeds(text, 8, 2, 1000);
      const seeds = new Map(Array.from(first, (at, i) => [suffix(order[at]!).slice(0, lengths[i]), frequencies[i]!]));
      expect(seeds.size).toBe(first.length);
      for (const [i, at] of first.entries()) {
        const seed = suffix(order[at]!).slice(0, lengths[i]);
        for (let k = at; k <= last[i]!; k++) expect(suffix(order[k]!).startsWith(seed)).toBe(true);
      }
      expect(seeds).toEqual(naiveSeeds(words, 8));
    }
  });

  it("keeps the highest frequency times length", () => {
    const { text, suffix } = suffixesOf(["abab", "abab", "abac", "dd", "dd"], "abcd");
    const { order, first, lengths, frequencies } = findSeeds(text, 16, 2, 2);
    const best = Array.from(first, (at, i) => suffix(order[at]!).slice(0, lengths[i]));
    expect(best).toEqual(["ab", "aba"]);
    expect([...frequencies]).toEqual([5, 3]);
  });
});

/** The definition: substrings of 2 to `most` symbols by occurrences, of which branching ones and whole words stay. */
function naiveSeeds(words: readonly string[], most: number): Map<string, number> {
  const counts = new Map<string, number>();
  const places = new Map<string, Set<string>>();
  for (const word of words) {
    for (let i = 0; i < word.length; i++) {
      for (let j = i + 2; j <= Math.min(word.length, i + most); j++) {
        const part = word.slice(i, j);
        counts.set(part, (counts.get(part) ?? 0) + 1);
        const next = j < word.length ? word[j]! : `end of ${word} at ${i}`;
        places.set(part, (places.get(part) ?? new Set()).add(next));
      }
    }
  }
  const isSeed = (part: string): boolean =>
    counts.get(part)! >= 2 && (places.get(part)!.size > 1 || words.includes(part) || isLongest(part, most, words));
  return new Map([...counts].filter(([part]) => isSeed(part)));
}

/** What is as long as a piece may be stays even if the texts go on alike, when it has several places. */
function isLongest(part: string, most: number, words: readonly string[]): boolean {
  if (part.length < most) return false;
  const places = [...new Set(words)].flatMap((word) =>
    [...word].flatMap((_, i) => (word.startsWith(part, i) ? [`${word} ${i}`] : [])),
  );
  return places.length > 1;
}
