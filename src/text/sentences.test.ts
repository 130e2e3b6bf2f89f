/** @file Sentence ends on a small gold set, and in the cases that rules get wrong. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../base/errors.js";
import { type SentenceOptions, sentences } from "./sentences.js";

/** Paragraphs with their sentence ends marked by `¦`. */
const golden = JSON.parse(readFileSync(new URL("../../test/golden/text/sentences.json", import.meta.url), "utf8")) as {
  readonly en: readonly string[];
  readonly zh: readonly string[];
};

/** Where the sentences of a paragraph end, without the white space after them. */
function goldEnds(marked: string): number[] {
  let text = "";
  return marked.split("¦").map((part) => {
    text += part;
    return text.trimEnd().length;
  });
}

function f1(paragraphs: readonly string[]): number {
  let hits = 0;
  let total = 0;
  for (const paragraph of paragraphs) {
    const expected = new Set(goldEnds(paragraph));
    const found = [...sentences(paragraph.replaceAll("¦", ""))].map(({ end }) => end);
    hits += found.filter((end) => expected.has(end)).length;
    total += expected.size + found.length;
  }
  return (2 * hits) / total;
}

function split(text: string, options: SentenceOptions = {}): string[] {
  return [...sentences(text, options)].map(({ start, end }) => text.slice(start, end));
}

describe("sentences", () => {
  it.each(["en", "zh"] as const)("finds the ends of the gold set: %s", (language) => {
    expect(golden[language].join("¦").split("¦").length).toBeGreaterThanOrEqual(60);
    expect(f1(golden[language])).toBeGreaterThanOrEqual(0.98);
  });

  it.each([
    ["Dr. Who came.", ["Dr. Who came."]],
    ["1. First. 2. Second.", ["1. First.", "2. Second."]],
    ["No. 5 is alive. No. It is dead.", ["No. 5 is alive.", "No.", "It is dead."]],
    ["He left.) Then", ["He left.)", "Then"]],
    ["यह है। वह है।", ["यह है।", "वह है।"]],
    ["من؟ أنا.", ["من؟", "أنا."]],
    ["A heading\n\nA paragraph", ["A heading", "A paragraph"]],
    ["wrapped\nline. Next", ["wrapped\nline.", "Next"]],
    ["done.école", ["done.école"]],
    ["est finie. été", ["est finie.", "été"]],
    ["p. été", ["p. été"]],
    ["1.2. Scope. IV. Terms. b. Two.", ["1.2. Scope.", "IV. Terms.", "b. Two."]],
    ["In the U.S. the law. In the U.S. They left.", ["In the U.S. the law.", "In the U.S.", "They left."]],
    ["“好吗？”，他问。“好！”", ["“好吗？”，他问。", "“好！”"]],
    ["《好吗？》是书。他（对吗？）走。（对。）好", ["《好吗？》是书。", "他（对吗？）走。", "（对。）", "好"]],
    [`${"很".repeat(300)}。）他`, [`${"很".repeat(300)}。）`, "他"]],
    ["长３．５米。完", ["长３．５米。", "完"]],
    ["甲；乙……丙。", ["甲；乙……丙。"]],
    ["Oh… yes. Oh… No.", ["Oh… yes.", "Oh…", "No."]],
    ["  \n ", []],
  ])("cuts %j", (text, expected) => expect(split(text)).toEqual(expected));

  it("takes abbreviations, marks and lines from its options", () => {
    expect(split("Siehe Abb. Eins, z.B. Kant. Ja.", { abbreviations: ["Abb.", "z.B."] })).toEqual([
      "Siehe Abb. Eins, z.B. Kant.",
      "Ja.",
    ]);
    expect(split("甲；乙……丙。", { marks: "；…" })).toEqual(["甲；", "乙……", "丙。"]);
    expect(split("A heading\nA line. More\r\nLast", { lineBreaks: "every" })).toEqual([
      "A heading",
      "A line.",
      "More",
      "Last",
    ]);
    expect(() => split("a", { abbreviations: ["z. B."] })).toThrow(ConfigError);
    expect(() => split("a", { abbreviations: ["."] })).toThrow(ConfigError);
    expect(() => split("a", { marks: "; " })).toThrow(ConfigError);
  });

  it("needs linear time for text full of marks", () => {
    for (const mark of [".", ".x", ". ", '."', "A. ", "。", "a.\n"]) {
      const text = mark.repeat(200_000);
      expect([...sentences(text)].at(-1)?.end).toBe(text.trimEnd().length);
    }
    const dots = `${".".repeat(400_000)}x`;
    expect(split(dots)).toEqual([dots]);
  });
});
