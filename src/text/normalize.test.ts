/** @file Normalisation with its way back, by example. */

import { describe, expect, it } from "vitest";
import { ConfigError } from "../base/errors.js";
import { normalize } from "./normalize.js";
import type { TextStep } from "./step.js";
import { accents } from "./steps/accents.js";
import { contractions } from "./steps/contractions.js";
import { lemmatize } from "./steps/lemmatize.js";
import { lowercase } from "./steps/lowercase.js";
import { punctuation } from "./steps/punctuation.js";
import { stem } from "./steps/stem.js";
import { unicodeForm } from "./steps/unicode-form.js";
import { whiteSpace } from "./steps/white-space.js";

const examples: readonly (readonly [step: TextStep, source: string, text: string])[] = [
  [lowercase(), "ΟΔΟΣ ΣΟΦΙΑ İ ẞ", "οδος σοφια i\u0307 ß"],
  [unicodeForm("NFKC"), "ﬁne ①②, ｆｕｌｌ ²", "fine 12, full 2"],
  [unicodeForm("NFC"), "e\u0301 \u1112\u1161\u11ab", "é 한"],
  [unicodeForm("NFD"), "é", "e\u0301"],
  [
    accents(),
    "Crème brûlée, Åre, Łódź, ваш й, が, ❤\ufe0f, हिन्दी",
    "Creme brulee, Are, Łodz, ваш и, が, ❤\ufe0f, हिन्दी",
  ],
  [accents({ letters: true }), "Łódź smørrebrød Straße Æsop", "Lodz smorrebrod Strasse AEsop"],
  [punctuation(), "Don't; well-known: 3.14 (“so”)…", "Dont wellknown 314 so"],
  [punctuation({ keepsInWords: true }), "Don't; well-known: 3.14 (“so”)…", "Don't well-known 3.14 so"],
  [punctuation({ mode: "separate" }), "Yes,(no)?! a-b 你好，世界。", "Yes , ( no ) ? ! a - b 你好 ， 世界 。"],
  [punctuation({ mode: "separate", keepsInWords: true }), "don't, 3.5!", "don't , 3.5 !"],
  [punctuation({ mode: "ascii" }), "“it’s” – 「好」，【x】…。！", '"it\'s" - "好",[x]....!'],
  [whiteSpace(), "  a\t b\r\n\r\n c\u3000d\u00a0 ", "a b c d"],
  [whiteSpace({ lineBreaks: "keep" }), " a \r\n b\n\n\n c ", "a\nb\n\nc"],
  [whiteSpace({ trims: false }), "  a  ", " a "],
  [
    stem(),
    "Running dogs' owners weren't generously happy; naïve 2nd mp3s.",
    "run dog' owner weren't generous happi; naïv 2nd mp3s.",
  ],
  [lemmatize(), "The Children’s leaves were falling; mice ran.", "The child leaf be fall; mouse run."],
  [lemmatize({ partOfSpeech: "verb" }), "leaves saw", "leave see"],
  [contractions(), "I'm sure it's what they've said: we'll go.", "I am sure it is what they have said: we will go."],
  [
    contractions(),
    "DON'T! Can’t, won't; Isn't it? shouldn't've",
    "DO NOT! Cannot, will not; Is not it? should not have",
  ],
  [
    contractions(),
    "It's been; she's just got it. He'd better; I'd've; how'd",
    "It has been; she has just got it. He had better; I would have; how did",
  ],
  [
    contractions(),
    "Let's see, y'all: 'Tis John's o'clock, ma'am. ain't",
    "Let us see, you all: It is John's o'clock, ma'am. is not",
  ],
  [contractions(), "xcan't its 'its' let\u017f rock'n'roll", "xcan't its 'its' let\u017f rock'n'roll"],
];

describe("normalize", () => {
  it.each(examples.map(([step, source, text]) => [step.name, source, text, step] as const))(
    "%s makes of %j %j",
    (_, source, text, step) => expect(normalize(source, [step]).text).toBe(text),
  );

  it("leads from a word after five steps to the word before them", () => {
    const source = "  The Café’s   CHILDREN weren’t “Running”.";
    const steps = [contractions(), accents(), punctuation({ mode: "ascii" }), lemmatize(), lowercase(), whiteSpace()];
    const normalized = normalize(source, steps);
    expect(normalized.text).toBe('the cafe child be not "run".');
    const sources = [...normalized.text.matchAll(/\w+|[^\w\s]/g)].map(({ index, 0: word }) => {
      const { start, end } = normalized.sourceOf(index, index + word.length);
      return source.slice(start, end);
    });
    expect(sources).toEqual(["The", "Café’s", "CHILDREN", "were", "n’t", "“", "Running", "”", "."]);
    const { start, end } = normalized.sourceOf(0, normalized.text.length);
    expect(source.slice(start, end)).toBe(source.trim());
  });

  it("leaves a text without steps alone, and gives empty spans for empty ones", () => {
    const same = normalize("ab", []);
    expect([same.text, same.sourceOf(1), same.sourceOf(1, 1), same.sourceOf(2, 2)]).toEqual([
      "ab",
      { start: 1, end: 2 },
      { start: 1, end: 1 },
      { start: 2, end: 2 },
    ]);
    const gone = normalize("  ", [whiteSpace()]);
    expect([gone.text, gone.sourceOf(0, 0)]).toEqual(["", { start: 2, end: 2 }]);
  });

  it("refuses spans outside of the text and edits out of order, with a word", () => {
    const normalized = normalize("a  b", [whiteSpace()]);
    for (const [start, end] of [
      [0, 4],
      [-1, 2],
      [2, 1],
      [0.5, 1],
    ] as const) {
      expect(() => normalized.sourceOf(start, end)).toThrow(ConfigError);
    }
    expect(() => normalized.sourceOf(0, 4)).toThrow("0 <= start <= end <= 3");
    const edits = (...spans: [number, number][]): TextStep => ({
      name: "mine",
      edits: () => spans.map(([start, end]) => ({ start, end, content: "x" })),
    });
    for (const step of [edits([1, 1]), edits([0, 9]), edits([2, 3], [0, 1]), edits([0, 2], [1, 3])]) {
      expect(() => normalize("abcd", [step])).toThrow(/step mine edits .* ordered, not empty, apart/);
    }
  });

  it("takes time in proportion to the text and its edits", () => {
    const text = "Don’t stop  Running, İstanbul’s e\u0301! ".repeat(20_000);
    const normalized = normalize(text, [contractions(), accents(), stem(), lowercase(), whiteSpace()]);
    const last = normalized.text.length - 1;
    expect(normalized.sourceOf(last)).toEqual({ start: text.trimEnd().length - 1, end: text.trimEnd().length });
  });
});
