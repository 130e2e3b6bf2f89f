/** @file Grapheme boundaries against Intl.Segmenter. */
import { describe, expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import {
  graphemeCeil,
  graphemeFloor,
  graphemeStarts,
  isGraphemeBoundary,
  trimClusters,
  trimClustersEnd,
} from "./graphemes.js";

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

function expectedStarts(text: string): number[] {
  return [...segmenter.segment(text)].map(({ index }) => index);
}

/** Characters with every way of joining others: marks, joiners, jamo, flags, emoji, prepended signs, conjuncts, halves. */
const CHARACTERS = [
  ..."aé1 .\u00a9\u0301\u200d\u200c\ufe0f\u0600\u06dd\u0e33가각각漢カ\u3099\uff9e〰㊙न्दिక్షਕ\u0d4e\u034f",
  ..."👩👍\u{1f3fd}❤🇩🇪🇫\u{110bd}\u{e0061}𠀀",
  "\r",
  "\n",
  "\r\n",
  "\ud83d",
  "\udc4d",
  "\u2028",
  "\u0000",
];

function randomText(rng: Rng): string {
  return Array.from({ length: rng.below(24) }, () => CHARACTERS[rng.below(CHARACTERS.length)]).join("");
}

describe("graphemes", () => {
  it("agree with Intl.Segmenter on every pair of a plain character and one of the basic plane", () => {
    const wrong: string[] = [];
    for (let code = 0; code < 0xd800; code++) {
      const character = String.fromCharCode(code);
      for (const text of [`a${character}`, `${character}a`]) {
        const isBoundary = expectedStarts(text).includes(1);
        if (isGraphemeBoundary(text, 1, 0) !== isBoundary) wrong.push(JSON.stringify(text));
      }
    }
    expect(wrong).toEqual([]);
  });

  it("agree with Intl.Segmenter on random text, from any boundary on", () => {
    const rng = new Rng(1);
    for (let i = 0; i < 1500; i++) {
      const text = randomText(rng);
      const starts = expectedStarts(text);
      expect(graphemeStarts(text, 0, text.length)).toEqual(text === "" ? [0] : starts);
      const from = starts[rng.below(starts.length)] ?? 0;
      for (let index = from; index <= text.length; index++) {
        const floor = Math.max(...[...starts, text.length].filter((start) => start <= index));
        const ceil = Math.min(...[...starts, text.length].filter((start) => start >= index));
        expect([graphemeFloor(text, index, from), graphemeCeil(text, index, from)]).toEqual([floor, ceil]);
      }
    }
  });

  it("cut a cluster that is longer than any real one, between code points", () => {
    const text = `a${"\u0301".repeat(2000)}`;
    expect(graphemeFloor(text, 1000, 0)).toBe(1000);
    const pairs = "\u{e0061}".repeat(1000);
    expect(graphemeFloor(`👍${pairs}`, 1001, 0) % 2).toBe(0);
  });

  it("keep white space that belongs to a cluster", () => {
    expect(trimClusters(" \u0301x\u0600 ", 0, 5)).toEqual({ start: 0, end: 5 });
    expect(trimClusters("  x  ", 0, 5)).toEqual({ start: 2, end: 3 });
    expect(trimClusters("   ", 0, 3)).toEqual({ start: 3, end: 3 });
  });

  it("trim to whole clusters, past the end if one reaches over it, but to no more than a part that was cut out of one", () => {
    // a sign of the class Prepend and the space that it draws in
    const prepended = "a \u{110bd} b";
    expect(trimClustersEnd(prepended, 0, 4)).toBe(5);
    const family = "👨‍👩‍👧";
    expect(trimClusters(family, 0, 2)).toEqual({ start: 0, end: 2 });
  });
});
