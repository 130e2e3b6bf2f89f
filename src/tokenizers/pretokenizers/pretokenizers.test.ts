import { describe, expect, it } from "vitest";
import { UnsupportedError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { betweenDelimiters, betweenWhiteSpace, wordsAndSymbols } from "./by-class.js";
import { CharClasses } from "./char-classes.js";
import { Cl100kPretokenizer, cl100kPattern } from "./cl100k.js";
import { DigitsPretokenizer } from "./digits.js";
import { fixedLength } from "./fixed-length.js";
import { Gpt2Pretokenizer, gpt2Pattern } from "./gpt2.js";
import { inSequence, type Pretokenizer } from "./pretokenizer.js";
import { toRegExp } from "./regex-syntax.js";
import { type SplitBehavior, SplitPretokenizer } from "./split.js";
import { beforeEachMark, markedWords } from "./words.js";

const classes = new CharClasses();
const parts = [
  ..."aZ éßſK9٣½ \t\n\r\u00a0\u0085\u2003\u3000\ufeff'’!-_.中文。😀𝒳𠀀\u0301\u0378\ud800\udc00",
  ..."'s 'S 't 'T 're 'RE 'vE 'm 'll 'lL 'd 'ſ 'x  ''  \r\n 12 123 1234 ab Abc".split(" "),
];

function randomText(rng: Rng): string {
  return Array.from({ length: rng.below(14) }, () =>
    rng.below(8) > 0 ? parts[rng.below(parts.length)] : String.fromCodePoint(rng.below(0x110000)),
  ).join("");
}

function pieces(pretokenizer: Pretokenizer, text: string, start = 0, end = text.length): string[] {
  const found: string[] = [];
  pretokenizer.scan(text, start, end, (from, to) => found.push(text.slice(from, to)) > 0);
  return found;
}

describe.each([
  ["GPT-2", new Gpt2Pretokenizer(classes), gpt2Pattern],
  ["Llama 3", new Cl100kPretokenizer(classes, 3), cl100kPattern(3)],
  ["Qwen 2", new Cl100kPretokenizer(classes, 1), cl100kPattern(1)],
  ["single digits", new DigitsPretokenizer(classes, true), "\\p{N}|\\P{N}+"],
  ["runs of digits", new DigitsPretokenizer(classes, false), "\\p{N}+|\\P{N}+"],
  ["spaced words", markedWords(" "), " *[^ ]+| +"],
  ["words after each space", beforeEachMark(" "), " ?[^ ]+| "],
  [
    "words and symbols",
    wordsAndSymbols(),
    "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]+|[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\s]+",
  ],
  ["words between white space", betweenWhiteSpace(), "\\S+"],
  ["words between delimiters", betweenDelimiters(" "), "[^ ]+"],
  ["three characters", fixedLength(3), "(?:[^x]|x){1,3}"],
])("the scanner for %s", (_name, scanner, pattern) => {
  const regex = toRegExp(pattern);

  it("cuts random texts exactly as its regular expression, in any stretch of them", () => {
    const rng = new Rng(3);
    for (let round = 0; round < 20_000; round++) {
      const text = randomText(rng);
      const start = rng.below(3) === 0 ? rng.below(text.length + 1) : 0;
      const end = rng.below(3) === 0 ? start + rng.below(text.length - start + 1) : text.length;
      const expected = text.slice(start, end).match(regex) ?? [];
      const found = pieces(scanner, text, start, end);
      if (found.join("|") !== expected.join("|")) expect(found).toEqual(expected);
    }
  });

  it("knows what cutting a text does to its pieces", () => {
    const rng = new Rng(4);
    for (let round = 0; round < 20_000; round++) {
      const text = randomText(rng);
      const index = 1 + rng.below(Math.max(1, text.length - 1));
      if (index >= text.length || /[\ud800-\udfff]/.test(text.slice(index - 1, index + 1))) continue;
      const start = rng.below(index);
      const end = index + 1 + rng.below(text.length - index);
      const whole = pieces(scanner, text, start, end).join("|");
      const parts = [pieces(scanner, text, start, index).join("|"), pieces(scanner, text, index, end).join("|")];
      const effect = scanner.cutEffect(text, index);
      const joined = parts.filter((part) => part !== "").join("|");
      if (effect === "none" && whole !== joined) expect(joined).toBe(whole);
      if (effect === "halves" && whole !== parts.join("")) expect(parts.join("")).toBe(whole);
    }
  });

  it("stops when told", () => {
    let visits = 0;
    expect(scanner.scan("a 1 b 2", 0, 7, () => ++visits < 2)).toBe(false);
    expect(visits).toBe(2);
    expect(scanner.scan("", 0, 0, () => expect.fail("there is nothing to visit"))).toBe(true);
  });
});

describe("SplitPretokenizer", () => {
  const text = "the-final--countdown";
  it.each<[SplitBehavior, string[]]>([
    ["Removed", ["the", "final", "countdown"]],
    ["Isolated", ["the", "-", "final", "-", "-", "countdown"]],
    ["MergedWithPrevious", ["the-", "final-", "-", "countdown"]],
    ["MergedWithNext", ["the", "-final", "-", "-countdown"]],
    ["Contiguous", ["the", "-", "final", "--", "countdown"]],
  ])("%s", (behavior, expected) => {
    expect(pieces(new SplitPretokenizer(/-/gu, behavior, false), text)).toEqual(expected);
  });

  it("does not know what cutting does", () => {
    expect(new SplitPretokenizer(/-/gu, "Isolated", false).cutEffect()).toBe("unknown");
  });

  it("swaps matches and gaps when inverted", () => {
    expect(pieces(new SplitPretokenizer(/[a-z]+/gu, "Removed", true), text)).toEqual(["the", "final", "countdown"]);
  });

  it("sees only its stretch, and works inside another", () => {
    expect(pieces(new SplitPretokenizer(/\s+(?!\S)/gu, "Isolated", false), "a  b", 0, 3)).toEqual(["a", "  "]);
    const both = inSequence([new DigitsPretokenizer(classes, true), new SplitPretokenizer(/ /gu, "Removed", false)]);
    expect(pieces(both, "a b12 c")).toEqual(["a", "b", "1", "2", "c"]);
  });
});

describe("toRegExp", () => {
  it.each([
    ["(?i:'s|k)x", "'Sx 'ſx 'sX Kx", ["'Sx", "'ſx", "Kx"]],
    ["\\s+$", "a \nb\u0085\ufeff ", [" ", " "]],
    ["^.", "ab\ncd", ["a", "c"]],
    ["a?+a", "aa a", ["aa"]],
    ["(?>a|ab)c", "abc ac", ["ac"]],
    ["(a)(b){1,2}?", "abb", ["ab"]],
    ["[\\s\\w-]+", "a b-1_é!", ["a b-1_é"]],
    ["[^\\S\\n]", "a\n\t", ["\t"]],
    ["\\p{Han}+|\\p{^L}", "a中文1", ["中文", "1"]],
    ["\\x41\\x{1F600}\\u0042", "A😀B", ["A😀B"]],
    ["[{}]\\/\\-", "{/-", ["{/-"]],
    ["\\bx\\B.", "ax xé x", ["xé"]],
    ["[a-z&&[^aeiou]]+", "abcde", ["bcd"]],
    [" ?[^(\\s|[.,!?])]+", "a (b), c", ["a", "b", " c"]],
    ["[[:alpha:]_]+|[^\\W]", "é_1²", ["é_", "1", "²"]],
    ["(?>a(?>b|bc))c", "abc", ["abc"]],
    ["\\Aa|b\\z|c\\Z", "aabbc\n", ["a", "c"]],
  ] as const)("translates %s", (pattern, text, expected) => {
    expect(text.match(toRegExp(pattern)) ?? []).toEqual(expected);
  });

  it.each(["(a)\\1", "(?<name>x)", "[[:odd:]]", "\\G", "a)", "(a", "[a", "\\p{Nothing}", "(?i:[a-z])"])(
    "rejects %s by name",
    (pattern) => {
      expect(() => toRegExp(pattern)).toThrow(UnsupportedError);
      expect(() => toRegExp(pattern)).toThrow(pattern);
    },
  );
});
