import { describe, expect, it } from "vitest";
import { ConfigError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { CharClasses } from "../pretokenizers/char-classes.js";
import { Gpt2Pretokenizer } from "../pretokenizers/gpt2.js";
import { wholeText } from "../pretokenizers/pretokenizer.js";
import { byteCharacters } from "./byte-alphabet.js";
import {
  type BpeTrainingOptions,
  type BpeTrainingProgress,
  type BpeVocabulary,
  trainBpe,
} from "./byte-level-bpe-trainer.js";

/** The definition: count all pairs anew for each merge. */
function trainNaively(texts: readonly string[], { vocabSize, minFrequency = 2 }: BpeTrainingOptions): BpeVocabulary {
  const tokens = [...byteCharacters].sort();
  const merges: [number, number][] = [];
  let words = texts.map((text) =>
    Array.from(new TextEncoder().encode(text), (b) => tokens.indexOf(byteCharacters[b]!)),
  );
  while (tokens.length < vocabSize) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]},${word[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const ranked = [...counts].map(([pair, count]) => [...pair.split(",").map(Number), count] as number[]);
    ranked.sort((a, b) => b[2]! - a[2]! || a[0]! - b[0]! || a[1]! - b[1]!);
    const [left, right, count] = ranked[0] ?? [];
    if (left === undefined || right === undefined || count! < Math.max(1, minFrequency)) break;
    merges.push([left, right]);
    const product = tokens.push(`${tokens[left]}${tokens[right]}`) - 1;
    words = words.map((word) => merged(word, left, right, product));
  }
  return { tokens, merges };
}

function merged(word: readonly number[], left: number, right: number, product: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < word.length; i++) {
    const isPair = word[i] === left && word[i + 1] === right;
    out.push(isPair ? product : word[i]!);
    if (isPair) i++;
  }
  return out;
}

const gpt2 = new Gpt2Pretokenizer(new CharClasses());

describe("trainBpe", () => {
  it("learns what the definition says", () => {
    const rng = new Rng(4);
    for (let round = 0; round < 80; round++) {
      const alphabet = ["ab", "abc", "-", "aab-", "é中"][rng.below(5)]!;
      const texts = Array.from({ length: 1 + rng.below(30) }, () =>
        Array.from({ length: 1 + rng.below(12) }, () => alphabet[rng.below(alphabet.length)]).join(""),
      );
      const options = { vocabSize: 256 + rng.below(60), minFrequency: rng.below(4) };
      expect(trainBpe(texts, wholeText, options), JSON.stringify(texts)).toEqual(trainNaively(texts, options));
    }
  });

  it("puts special tokens first, then the bytes in the order of their characters", () => {
    const { tokens } = trainBpe([], gpt2, { vocabSize: 300, specialTokens: ["<|a|>", "<|b|>"] });
    expect(tokens.slice(0, 4)).toEqual(["<|a|>", "<|b|>", "!", '"']);
    expect(tokens).toHaveLength(258);
  });

  it("does not learn from special tokens in the texts as such", () => {
    const { tokens } = trainBpe(["<|a|><|a|>"], wholeText, { vocabSize: 300, specialTokens: ["<|a|>"] });
    expect(tokens).toContain("<|");
  });

  it("gives the same twice, whatever kind of iterable the texts are", () => {
    const texts = ["low lower lowest", "new newer newest", "wide wider widest"];
    const options = { vocabSize: 290, minFrequency: 1 };
    expect(trainBpe(new Set(texts), gpt2, options)).toEqual(trainBpe(texts, gpt2, options));
  });

  it("merges only what occurs often enough", () => {
    const texts = ["abc abc abx"];
    const learned = (minFrequency: number): string[] =>
      trainBpe(texts, gpt2, { vocabSize: 300, minFrequency }).tokens.slice(256);
    expect(learned(3)).toEqual(["ab"]);
    expect(learned(4)).toEqual([]);
  });

  it("reports how far it is", () => {
    const seen: BpeTrainingProgress[] = [];
    const texts = Array.from({ length: 2500 }, (_, i) => `word${i} stays`);
    trainBpe(texts, gpt2, { vocabSize: 500, minFrequency: 1, onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ phase, done }) => `${phase} ${done}`)).toEqual([
      "count words 1000",
      "count words 2000",
      "count words 2500",
      "merge 356",
      "merge 456",
      "merge 500",
    ]);
  });

  it.each([255, 256.5, Number.NaN, 0])("rejects a vocabulary of %d", (vocabSize) => {
    expect(() => trainBpe(["a"], gpt2, { vocabSize })).toThrow(ConfigError);
  });

  it("learns from one word of a megabyte, which quadratic time would not", () => {
    const rng = new Rng(5);
    const word = Array.from({ length: 1_000_000 }, () => "abcdefgh"[rng.below(8)]).join("");
    expect(trainBpe([word], gpt2, { vocabSize: 2000 }).tokens).toHaveLength(2000);
  });
});
