/** @file Cutting between words, graphemes and code points. */
import { describe, expect, it } from "vitest";
import { CapacityError } from "../base/errors.js";
import { Strength } from "./strength.js";
import { cutWords, wordStarts } from "./words.js";

function pieces(text: string, maxLength: number): [string, number][] {
  const cut = cutWords(text, 0, text.length, ({ start, end }) => end - start <= maxLength);
  return cut.map(({ start, end, strength }) => [text.slice(start, end), strength]);
}

describe("words", () => {
  it("begin after white space, and at each ideograph that no punctuation binds", () => {
    const text = "ab, c 漢字（かな）。 d";
    expect(wordStarts(text, 0, text.length).map((start) => text.slice(start, start + 2))).toEqual([
      "c ",
      "漢字",
      "字（",
      "（か",
      "な）",
      "d",
    ]);
  });

  it("begin at no combining mark", () => {
    const text = "a \u0301b c";
    expect(wordStarts(text, 0, text.length)).toEqual([5]);
  });

  it("are told apart by the comma before them", () => {
    expect(pieces("one, two three", 5)).toEqual([
      ["one,", Strength.word],
      ["two", Strength.clause],
      ["three", Strength.word],
    ]);
  });

  it("are halved between graphemes until they fit", () => {
    expect(pieces("abcdefgh 👍🏽👍🏽", 4)).toEqual([
      ["abcd", Strength.word],
      ["efgh", Strength.grapheme],
      ["👍🏽", Strength.word],
      ["👍🏽", Strength.grapheme],
    ]);
  });

  it("are cut inside a grapheme only if it does not fit alone, and never inside a code point", () => {
    expect(pieces("👍🏽", 2).map(([text]) => text)).toEqual(["👍", "🏽"]);
    expect(() => pieces("a👍", 1)).toThrow(CapacityError);
  });
});
