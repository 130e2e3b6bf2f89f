/** @file Words on a gold set, by example, and on text of any kind. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import type { Span } from "./span.js";
import { wordSegments } from "./word-segments.js";
import { type WordOptions, words } from "./words.js";

const golden = JSON.parse(readFileSync(new URL("../../test/golden/text/words.json", import.meta.url), "utf8")) as {
  readonly en: readonly (readonly [text: string, words: string])[];
  readonly zh: readonly string[];
};

interface GoldText {
  readonly text: string;
  readonly words: readonly string[];
}

const texts: Readonly<Record<"en" | "zh", readonly GoldText[]>> = {
  en: golden.en.map(([text, list]) => ({ text, words: list.split(" ") })),
  zh: golden.zh.map((line) => ({
    text: line.replaceAll(" ", ""),
    words: line.split(" ").filter((word) => /[\p{L}\p{N}]/u.test(word)),
  })),
};

/** Where words begin or end. */
function boundaries(spans: Iterable<Span>): Set<number> {
  return new Set([...spans].flatMap(({ start, end }) => [start, end]));
}

function goldSpans({ text, words: list }: GoldText): Span[] {
  let at = 0;
  return list.map((word) => {
    const start = text.indexOf(word, at);
    at = start + word.length;
    return { start, end: at };
  });
}

function f1(gold: readonly GoldText[]): number {
  let hits = 0;
  let total = 0;
  for (const line of gold) {
    const expected = boundaries(goldSpans(line));
    const found = boundaries(words(line.text));
    hits += [...found].filter((at) => expected.has(at)).length;
    total += expected.size + found.size;
  }
  return (2 * hits) / total;
}

const cut = (text: string, options?: WordOptions): string[] =>
  [...words(text, options)].map(({ start, end }) => text.slice(start, end));

describe("words", () => {
  it.each(["en", "zh"] as const)("have the boundaries of the gold set: %s", (language) => {
    expect(f1(texts[language])).toBeGreaterThanOrEqual(0.95);
  });

  it("keep or split hyphens and contractions", () => {
    const text = "It’s well-known, isn't it? 'Tis - not-- 2-3 DON'T 's";
    expect(cut(text)).toEqual(["It’s", "well", "known", "isn't", "it", "Tis", "not", "2", "3", "DON'T", "s"]);
    expect(cut(text, { hyphens: "join", contractions: "split" })).toEqual([
      "It",
      "’s",
      "well-known",
      "is",
      "n't",
      "it",
      "Tis",
      "not",
      "2-3",
      "DO",
      "N'T",
      "s",
    ]);
  });

  it("take phrases with function words apart in Chinese, and leave words that look like them", () => {
    expect(cut("我的书很好，不是新的。")).toEqual(["我", "的", "书", "很", "好", "不", "是", "新", "的"]);
    expect(cut("他的目的是为了获得一个机会")).toEqual(["他", "的", "目的", "是", "为了", "获得", "一", "个", "机会"]);
    expect(cut("乱七八糟")).toEqual(["乱七八糟"]);
  });

  it("do not depend on the windows in which a long text is segmented", () => {
    const segmenter = new Intl.Segmenter("und", { granularity: "word" });
    const rng = new Rng(6);
    const pieces = [
      "word ",
      "can't ",
      "3.14 ",
      "我们研究语言模型，",
      "的。",
      "a",
      ".",
      "'",
      "👍\u200d",
      "🇩🇪",
      "\n",
      "e\u0301",
    ];
    for (const kinds of [pieces.length, 5, 3]) {
      const text = Array.from({ length: 3000 }, () => pieces[rng.below(kinds)]!).join("");
      const whole = Array.from(segmenter.segment(text), ({ index }) => index);
      expect(Array.from(wordSegments(text, segmenter), ({ start }) => start)).toEqual(whole);
    }
    const unbroken = "x".repeat(5000);
    expect([...words(`${unbroken} 的 ${unbroken}`)].map(({ start, end }) => end - start)).toEqual([5000, 1, 5000]);
  });

  it("need time in proportion to the text", () => {
    const line = "The engine can't stop; 我们研究语言模型。 ";
    expect([...words(line.repeat(20_000))].length).toBe(cut(line).length * 20_000);
  });

  it("are ordered, apart and hold every letter and digit, whatever the text", () => {
    const rng = new Rng(5);
    const characters = [..."ab '’-.,1٣é\u0301 的一个了我很不是都éа\u0e01ア\ud800\udc00👍\u200d\n"];
    for (let i = 0; i < 2000; i++) {
      const text = Array.from({ length: rng.below(20) }, () => characters[rng.below(characters.length)]).join("");
      for (const options of [{}, { hyphens: "join", contractions: "split" }] as const) {
        let at = 0;
        for (const { start, end } of words(text, options)) {
          expect(text.slice(at, start)).not.toMatch(/[\p{L}\p{N}]/u);
          expect(start).toBeGreaterThanOrEqual(at);
          expect(end).toBeGreaterThan(start);
          at = end;
        }
        expect(text.slice(at)).not.toMatch(/[\p{L}\p{N}]/u);
      }
    }
  });
});
