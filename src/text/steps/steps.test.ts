/** @file Every step of the registry: what it makes of text, and the way back from it. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { type NormalizedText, normalize } from "../normalize.js";
import type { Span } from "../span.js";
import type { TextStep } from "../step.js";
import { accents } from "./accents.js";
import { textSteps } from "./index.js";
import { punctuation } from "./punctuation.js";
import { whiteSpace } from "./white-space.js";

const variants: readonly TextStep[] = [
  ...Object.values(textSteps).map((make) => make()),
  accents({ letters: true }),
  punctuation({ mode: "separate" }),
  punctuation({ mode: "ascii" }),
  punctuation({ keepsInWords: true }),
  whiteSpace({ lineBreaks: "keep", trims: false }),
];

/** All at once, in an order in which each finds something to do. */
const chain: readonly TextStep[] = [
  textSteps.NFKC(),
  textSteps.contractions(),
  textSteps.lemmatize(),
  textSteps.NFD(),
  accents({ letters: true }),
  textSteps.lowercase(),
  punctuation({ mode: "ascii" }),
  punctuation({ mode: "separate" }),
  textSteps.stem(),
  textSteps.NFC(),
  textSteps.whiteSpace(),
];

const english = [..."  \t\n.,;!?'’“”…—-()dsSnteraliIÀéŁøßﬁ½Ⅷ"];
const words =
  "don't WON’T it's I'd've 'tis running Studies happily children’s leaves café e\u0301te\u0301 İI ΟΔΟΣ Σ ẞ".split(" ");

/** Anything from any plane, halves of pairs and what composes included. */
function character(rng: Rng): string {
  const kind = rng.below(10);
  if (kind < 3) return english[rng.below(english.length)]!;
  if (kind < 4) return `${words[rng.below(words.length)]!} `;
  if (kind < 5) return String.fromCharCode(0x300 + rng.below(0x70));
  if (kind < 6)
    return String.fromCharCode([0x1100, 0x1161, 0x11a8, 0xac00, 0x3041, 0xff01, 0xf900][rng.below(7)]! + rng.below(30));
  if (kind < 7) return String.fromCodePoint(rng.below(0x110000));
  return String.fromCharCode(rng.below(kind === 7 ? 0x10000 : 0x600));
}

function randomLines(count: number, seed: number): string[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => Array.from({ length: rng.below(40) }, () => character(rng)).join(""));
}

/** The way back written out: a span for each code unit, step by step. */
function spansByHand(source: string, steps: readonly TextStep[]): { readonly text: string; readonly spans: Span[] } {
  let text = source;
  let spans: Span[] = Array.from({ length: source.length }, (_, start) => ({ start, end: start + 1 }));
  for (const step of steps) {
    const next: Span[] = [];
    let changed = "";
    let at = 0;
    for (const { start, end, content } of step.edits(text)) {
      changed += text.slice(at, start) + content;
      next.push(...spans.slice(at, start));
      const origin = { start: spans[start]!.start, end: spans[end - 1]!.end };
      for (let i = 0; i < content.length; i++) next.push(origin);
      at = end;
    }
    text = changed + text.slice(at);
    spans = [...next, ...spans.slice(at)];
  }
  return { text, spans };
}

/** What is wrong with the way back from the characters of a line, if anything. */
function fault(source: string, steps: readonly TextStep[]): string | undefined {
  const normalized = normalize(source, steps);
  const expected = spansByHand(source, steps);
  if (normalized.text !== expected.text) return `${JSON.stringify(source)} becomes ${JSON.stringify(normalized.text)}`;
  let before: Span = { start: 0, end: 0 };
  for (const [i, { start, end }] of expected.spans.entries()) {
    const span = normalized.sourceOf(i);
    const isOrdered = before.start <= span.start && before.end <= span.end;
    const isInside = span.start < span.end && span.end <= source.length;
    if (!isOrdered || !isInside || span.start !== start || span.end !== end) {
      return `${JSON.stringify(source)}: character ${i} comes from [${start}, ${end}), not [${span.start}, ${span.end})`;
    }
    before = span;
  }
  return undefined;
}

/** Stretches of the normalised text whose sources do not overlap, with their sources. */
function* parts(normalized: NormalizedText): Generator<{ readonly text: string; readonly source: Span }> {
  let start = 0;
  for (let i = 1; i <= normalized.text.length; i++) {
    const source = normalized.sourceOf(start, i);
    if (i < normalized.text.length && normalized.sourceOf(i).start < source.end) continue;
    yield { text: normalized.text.slice(start, i), source };
    start = i;
  }
}

const lines = randomLines(10_000, 7);

describe("steps", () => {
  it("are registered under their names", () => {
    for (const [key, make] of Object.entries(textSteps)) expect(make().name).toBe(key);
  });

  it.each(variants.map((step, i) => [i, step.name, step] as const))(
    "%i %s: each character of 10,000 random lines leads back to what it came from",
    (_, __, step) =>
      expect(lines.map((line) => fault(line, [step])).find((wrong) => wrong !== undefined)).toBeUndefined(),
  );

  it("lead back through eleven of them", () => {
    expect(lines.map((line) => fault(line, chain)).find((wrong) => wrong !== undefined)).toBeUndefined();
  });

  const alone = ["accents", "lowercase", "NFC", "NFD", "NFKC", "NFKD"];
  it.each(variants.filter(({ name }) => alone.includes(name)).map((step) => [step.name, step] as const))(
    "%s: the source of a part, normalised alone, is the part",
    (_, step) => {
      for (const line of lines.slice(0, 2000)) {
        for (const { text, source } of parts(normalize(line, [step]))) {
          const again = normalize(line.slice(source.start, source.end), [step]).text;
          // a part does not show whether a word ends with it
          if (again.replaceAll("ς", "σ") !== text.replaceAll("ς", "σ")) expect([line, again]).toEqual([line, text]);
        }
      }
    },
  );

  it("equal the runtime's own functions and patterns", () => {
    const punctuationOff = punctuation();
    for (const line of lines) {
      expect(normalize(line, [textSteps.lowercase()]).text).toBe(line.toLowerCase());
      for (const form of ["NFC", "NFD", "NFKC", "NFKD"] as const) {
        expect(normalize(line, [textSteps[form]()]).text).toBe(line.normalize(form));
      }
      expect(normalize(line, [punctuationOff]).text).toBe(line.replace(/\p{P}/gu, ""));
      expect(normalize(line, [textSteps.whiteSpace()]).text).toBe(
        line
          .split(/[\s\u0085]+/)
          .filter(Boolean)
          .join(" "),
      );
    }
  });
});

const data = fileURLToPath(new URL("../../../../shared/data/", import.meta.url));
const files = ["data-wikitext2/valid.txt", "data-tinyshakespeare/input.txt", "data-xquad/xquad.zh.json"];

describe.skipIf(!existsSync(data))("steps on real text (../shared/data, where it is there)", () => {
  it.each(files)("%s: each character leads back", (file) => {
    const text = readFileSync(data + file, "utf8").slice(0, 50_000);
    const source = file.endsWith(".json")
      ? text.replace(/\\u([0-9a-f]{4})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
      : text;
    expect(fault(source, chain)).toBeUndefined();
    for (const step of variants) expect(fault(source.slice(0, 10_000), [step])).toBeUndefined();
  });
});
