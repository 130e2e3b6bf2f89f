/** @file Where token counts add up: what `addsUpAt` says against counts, and where it must say no. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import type { AddedToken } from "./added-tokens.js";
import { CharClasses } from "./pretokenizers/char-classes.js";
import type { Tokenizer } from "./tokenizer.js";
import { tokenizerFromJson, toTokenizerJson } from "./tokenizer-json.js";
import { bpePretokenizers, trainByteLevelBpe } from "./train.js";

const corpus = [
  "The tiles are laid row by row, and the rows are laid tile by tile. It's what we've done since 1998.",
  "把长文本切成小块，再把小块拼起来。 naïve café — 😀😀 cafe\u0301 = \u2260",
  "```ts\nfor (const tile of tiles) {\n  lay(tile);\n}\n```\n\n\n| a | b |\n|---|---|\n",
];
const characters = [
  ..."aste éſ19٣½ \t\n\r\u00a0\u3000\ufeff''’.=-_<>文。😀𝒳\u0301\u0338\u1100\u1161\u11a8\u212b\ud800\udc00",
  ..."'s 'RE 'll \r\n 12 </t> 1≠ 1=\u0338 aTM a™ a𝒳 ".split(" "),
];
const vocabSize = 2000;
const names = Object.keys(bpePretokenizers) as (keyof typeof bpePretokenizers)[];

function added(content: string, changes: Partial<AddedToken> = {}) {
  const {
    isSpecial = false,
    isNormalized = false,
    isSingleWord = false,
    stripsLeft = false,
    stripsRight = false,
  } = changes;
  const flags = { special: isSpecial, normalized: isNormalized, single_word: isSingleWord };
  return { id: vocabSize, content, lstrip: stripsLeft, rstrip: stripsRight, ...flags };
}

function randomText(rng: Rng): string {
  return Array.from({ length: 2 + rng.below(12) }, () =>
    rng.below(4) > 0
      ? characters[rng.below(characters.length)]!
      : corpus[rng.below(3)]!.slice(rng.below(60)).slice(0, 9),
  ).join("");
}

/** tokenizer.json learned from texts like those of the tests, so that tokens are as long as the cuts let them be. */
function learned(pretokenizer: (typeof names)[number]): Record<string, unknown> {
  const rng = new Rng(6);
  const texts = Array.from({ length: 1000 }, () => randomText(rng));
  return JSON.parse(toTokenizerJson(trainByteLevelBpe(texts, { vocabSize, pretokenizer })));
}

const files = new Map(names.map((name) => [name, learned(name)]));

function trained(name: (typeof names)[number], changes: Record<string, unknown> = {}): Tokenizer {
  return tokenizerFromJson(JSON.stringify({ ...files.get(name), ...changes }));
}

/** Places where the tokenizer says yes, out of all; fails where it is wrong. */
function checkedShare(tokenizer: Tokenizer, rounds: number): number {
  const rng = new Rng(5);
  let [yes, all] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const text = randomText(rng);
    for (let index = 1; index < text.length; index++, all++) {
      if (!tokenizer.addsUpAt(text, index)) continue;
      yes++;
      const start = rng.below(index);
      const end = index + 1 + rng.below(text.length - index);
      const sum = tokenizer.count(text, start, index) + tokenizer.count(text, index, end);
      if (sum !== tokenizer.count(text, start, end)) {
        expect.fail(`${JSON.stringify([text.slice(start, index), text.slice(index, end)])} does not add up`);
      }
    }
  }
  return yes / all;
}

/** The text with a bar wherever counts add up. */
function marked(tokenizer: Tokenizer, text: string): string {
  return Array.from(text, (character, i) => (tokenizer.addsUpAt(text, i) ? "|" : "") + character).join("");
}

const normalizers = ["NFC", "NFD", "NFKC", "NFKD"].map((type) => ({ type }));

describe.each(names)("addsUpAt of a tokenizer that cuts as %s", (name) => {
  it("is right wherever it says yes", () => {
    expect(checkedShare(trained(name), 4000)).toBeGreaterThan(0.15);
  });

  it.each(normalizers)("is right with $type, where characters may join", (normalizer) => {
    expect(checkedShare(trained(name, { normalizer }), 1500)).toBeGreaterThan(0.1);
  });

  it.each([
    [added("1\u2260", { isNormalized: true })],
    [added("</t>")],
    [added("'s ", { isNormalized: true })],
    [added("</t>", { isSingleWord: true })],
    [added("</t>", { stripsLeft: true })],
    [added("</t>", { stripsRight: true })],
    [added("1.", { isSpecial: true })],
  ])("is right beside the token %j", (token) => {
    checkedShare(trained(name, { added_tokens: [token] }), 1000);
    checkedShare(trained(name, { added_tokens: [token], normalizer: { type: "NFC" } }), 1000);
  });
});

describe("addsUpAt of other kinds of tokenizer", () => {
  interface Golden {
    readonly models: Record<string, unknown>;
    readonly cases: { readonly model: string; readonly settings: Record<string, unknown> }[];
  }
  const path = new URL("../../test/golden/tokenizers/components.json", import.meta.url);
  const { models, cases }: Golden = JSON.parse(readFileSync(path, "utf8"));

  it.each(cases.map(({ model, settings }, i) => [i, model, settings] as const))(
    "is right wherever it says yes: %d, %s",
    (_, model, settings) => {
      checkedShare(tokenizerFromJson(JSON.stringify({ ...settings, model: models[model] })), 120);
    },
  );

  it.each([
    [
      "wordpiece",
      { normalizer: { type: "BertNormalizer" }, pre_tokenizer: { type: "BertPreTokenizer" } },
      "one| |two|,| |3|-|4| |中|文",
    ],
    ["unigram", { pre_tokenizer: { type: "Metaspace", replacement: "▁" } }, "one| two,| 3-4"],
    ["unigram", { pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first" } }, "one| two,| 3-4"],
    ["bpe", { normalizer: { type: "Prepend", prepend: "▁" } }, "one two, 3-4"],
  ])("says yes where words end: %s %j", (model, settings, expected) => {
    const file = {
      ...cases[0]!.settings,
      normalizer: null,
      pre_tokenizer: null,
      added_tokens: [],
      ...settings,
      model: models[model],
    };
    expect(marked(tokenizerFromJson(JSON.stringify(file)), expected.replaceAll("|", ""))).toBe(expected);
  });
});

describe("addsUpAt", () => {
  it.each([
    ["gpt2", "Row| by| row|,| it|'s| 1998|-|12| (|a|).|  Then|.|\n\n-| b"],
    ["smollm", "Row| by| row|,| it|'s| |1|9|9|8|-|1|2| (|a|).|  Then|.|\n\n-| b"],
    ["llama3", "Row| by| row|,| it|'s| 1998|-|12| (a|).|  Then|.\n\n-| b"],
    ["qwen2", "Row| by| row|,| it|'s| 1998|-|12| (a|).|  Then|.\n\n-| b"],
  ] as const)("says yes at most word ends: %s", (name, expected) => {
    expect(marked(trained(name), expected.replaceAll("|", ""))).toBe(expected);
  });

  it("says no inside an added token, and yes beside it", () => {
    const text = "one </t> two";
    expect(marked(trained("gpt2", { added_tokens: [added("</t>")] }), text)).toBe("one| </t>| two");
    expect(marked(trained("gpt2", { added_tokens: [added("</t>", { isSpecial: true })] }), text)).toBe(
      "one| </|t|>| two",
    );
  });

  it("says yes before spaces where other words get one in front", () => {
    const pre_tokenizer = { type: "ByteLevel", add_prefix_space: true, use_regex: true };
    const tokenizer = trained("gpt2", { pre_tokenizer });
    expect(marked(tokenizer, "one two, 3-4")).toBe("one| two,| 3-4");
    checkedShare(tokenizer, 1500);
  });

  it("says no everywhere where nothing is known of the cuts", () => {
    const byteLevel = { type: "ByteLevel", add_prefix_space: true, use_regex: true };
    const split = { type: "Split", pattern: { Regex: " ?\\w+" }, behavior: "Isolated", invert: false };
    const sequence = { type: "Sequence", pretokenizers: [split, { ...byteLevel, add_prefix_space: false }] };
    for (const pre_tokenizer of [sequence, { ...byteLevel, add_prefix_space: false, use_regex: false }]) {
      expect(marked(trained("gpt2", { pre_tokenizer }), "one two, 3")).toBe("one two, 3");
    }
  });

  it("says no beyond the text", () => {
    const tokenizer = trained("gpt2");
    expect([-1, 0, 3, 4].map((index) => tokenizer.addsUpAt("a b", index))).toEqual([false, false, false, false]);
  });

  it("may take a character for its kind when marks that follow join it", () => {
    const classes = new CharClasses();
    for (let codePoint = 0x80; codePoint < 0x30000; codePoint++) {
      const composed = String.fromCodePoint(codePoint);
      const base = String.fromCodePoint(composed.normalize("NFD").codePointAt(0)!);
      if (composed.normalize("NFC") !== composed || base === composed) continue;
      expect(classes.at(composed, 0, 2), composed).toBe(classes.at(base, 0, 2));
    }
  });
});
