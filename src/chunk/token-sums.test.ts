/** @file Sums of token counts against counts. */
import { describe, expect, it } from "vitest";
import type { TokenCounter } from "./chunk.js";
import { PlainLines } from "./plain-lines.js";
import { TextWindow } from "./text-window.js";
import { type CountedUnit, isExactRun, TokenSums } from "./token-sums.js";
import { UnitScanner } from "./unit-scanner.js";

/** Each run of letters is a token, and each run of other characters, line breaks included. */
const runs: TokenCounter["count"] = (text, start = 0, end = text.length) =>
  text.slice(start, end).match(/[a-z]+|[^a-z]+/gi)?.length ?? 0;
const isLetter = (text: string, index: number): boolean => /[a-z]/i.test(text.charAt(index));
const addsUpAt = (text: string, index: number): boolean => isLetter(text, index - 1) !== isLetter(text, index);

function units(text: string, counter: TokenCounter): { sums: TokenSums; all: CountedUnit[] } {
  const window = TextWindow.of(text);
  const scanner = new UnitScanner(window, new PlainLines());
  const sums = new TokenSums(window, counter);
  const all: CountedUnit[] = [];
  for (let unit = scanner.next(); unit !== undefined; unit = scanner.next()) all.push(sums.add(all.at(-1), unit));
  return { sums, all };
}

const long = "?".repeat(80);
const text = `??? One two. Three four!\n\nFive,\nsix (seven). ??? Eight.\n  Nine\n\n${long}\n\n... Ten. Eleven`;

describe("TokenSums", () => {
  it("gives the count of every run where counts add up inside its units", () => {
    const { sums, all } = units(text, { count: runs, addsUpAt });
    for (const [i, first] of all.entries()) {
      for (const [j, last] of all.entries()) {
        if (j < i || !isExactRun(first, last)) continue;
        for (let at = first.start; at < first.end; at++) {
          expect(sums.between(all, at, i, j + 1)).toBe(runs(text.slice(at, last.end)));
        }
      }
    }
    expect(all.filter(({ isExact }) => !isExact).map(({ start, end }) => text.slice(start, end))).toEqual([long]);
  });

  it("takes a run of several units for an estimate where counts add up nowhere", () => {
    const { sums, all } = units(text, { count: runs });
    expect(isExactRun(all[0]!, all[0]!)).toBe(true);
    expect(isExactRun(all[0]!, all[1]!)).toBe(false);
    expect(sums.between(all, 0, 0, 1)).toBe(runs("???"));
  });
});
