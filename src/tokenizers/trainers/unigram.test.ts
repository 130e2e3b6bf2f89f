import { describe, expect, it } from "vitest";
import { ConfigError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { wholeText } from "../pretokenizers/pretokenizer.js";
import { digamma } from "./digamma.js";
import { UnigramLattice } from "./unigram-lattice.js";
import { learnUnigram, type UnigramLearning } from "./unigram-learner.js";
import { UnigramSampler } from "./unigram-sampler.js";
import { findSeeds, layOut } from "./unigram-seeds.js";
import { WordCounts } from "./word-counts.js";

function countsOf(words: readonly string[]): WordCounts {
  const counts = new WordCounts();
  for (const word of words) counts.add(word, { normalize: (text) => text, pretokenizer: wholeText });
  return counts;
}

/** All ways to write `text` with the pieces, as lists. */
function segmentations(text: string, pieces: readonly string[]): string[][] {
  if (text === "") return [[]];
  return pieces.flatMap((piece) =>
    text.startsWith(piece) ? segmentations(text.slice(piece.length), pieces).map((rest) => [piece, ...rest]) : [],
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function randomWord(rng: Rng, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[rng.below(alphabet.length)]).join("");
}

describe("UnigramLattice", () => {
  it("expects each piece as often as all segmentations together say", () => {
    const rng = new Rng(3);
    for (let round = 0; round < 30; round++) {
      const words = Array.from({ length: 6 }, () => randomWord(rng, "ab", 1 + rng.below(8)));
      const text = layOut(countsOf(words), ["a", "b"]);
      const lattice = new UnigramLattice(text, findSeeds(text, 4, 2, 100));
      const pieces = Array.from({ length: lattice.numPieces }, (_, i) => lattice.pieceText(i));
      const logProbs = Float64Array.from(pieces, () => Math.log(0.01 + rng.uniform()));
      const score = (parts: readonly string[]): number => sum(parts.map((part) => logProbs[pieces.indexOf(part)]!));
      const expected = new Float64Array(pieces.length);
      const best = new Float64Array(pieces.length);
      for (const word of words) {
        const ways = segmentations(word, pieces);
        const total = sum(ways.map((way) => Math.exp(score(way))));
        for (const way of ways) {
          for (const part of way) expected[pieces.indexOf(part)]! += Math.exp(score(way)) / total;
        }
        const likeliest = ways.reduce((a, b) => (score(b) > score(a) ? b : a));
        for (const part of likeliest) best[pieces.indexOf(part)]! += 1;
      }
      lattice.expectedCounts(logProbs).forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i]!, 9);
      });
      expect(lattice.bestCounts(logProbs)).toEqual(best);
    }
  });

  it("stays finite on a word of ten thousand characters", () => {
    const text = layOut(countsOf(["ab".repeat(5000)]), ["a", "b"]);
    const lattice = new UnigramLattice(text, findSeeds(text, 16, 2, 1000));
    const expected = lattice.expectedCounts(new Float64Array(lattice.numPieces).fill(-3));
    const covered = sum(Array.from(expected, (count, i) => count * lattice.pieceLength(i)));
    expect(covered).toBeCloseTo(10_000, 4);
  });
});

describe("learnUnigram", () => {
  const rng = new Rng(5);
  const stems = Array.from({ length: 40 }, () => randomWord(rng, "abcdefgh", 2 + rng.below(5)));
  const words = countsOf(
    Array.from({ length: 3000 }, () => ` ${stems[rng.below(40)]}${["", "s", "ing", "ed"][rng.below(4)]}`),
  );
  const learning: UnigramLearning = {
    trainer: "test",
    vocabSize: 100,
    numReserved: 3,
    alphabet: [..." abcdefghingsz"].filter((c, i, all) => all.indexOf(c) === i),
    maxPieceLength: 16,
    minFrequency: 2,
    maxSeeds: 10_000,
  };

  it.each([20, 50, 100, 200])("gives exactly the size asked for: %d", (vocabSize) => {
    const pieces = learnUnigram(words, { ...learning, vocabSize });
    expect(pieces).toHaveLength(vocabSize - 3);
    expect(new Set(pieces.map(({ text }) => text)).size).toBe(vocabSize - 3);
    for (const character of learning.alphabet) expect(pieces.map(({ text }) => text)).toContain(character);
    // probabilities of a distribution, but for the sparse prior and rounding
    expect(sum(pieces.map(({ score }) => Math.exp(score)))).toBeLessThan(1.05);
  });

  it("finds the stems that the words were made of", () => {
    const texts = learnUnigram(words, { ...learning, vocabSize: 110 }).map(({ text }) => text);
    const found = stems.filter((stem) => texts.some((text) => text === stem || text === ` ${stem}`));
    expect(found.length).toBeGreaterThan(30);
  });

  it("names the nearest sizes that work, and they do", () => {
    for (const vocabSize of [5, 100_000, 3.5, Number.NaN]) {
      let message = "";
      try {
        learnUnigram(words, { ...learning, vocabSize });
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        message = (error as ConfigError).message;
      }
      const nearest = Number(/nearest that works is (\d+)|ask for (\d+)/.exec(message)?.slice(1).find(Boolean));
      expect(learnUnigram(words, { ...learning, vocabSize: nearest })).toHaveLength(nearest - 3);
    }
  });
});

describe("learnUnigram's options", () => {
  const learning = { trainer: "test", vocabSize: 4, numReserved: 1, alphabet: ["a", "b"], maxSeeds: 10 };
  it.each([
    { maxPieceLength: 0, minFrequency: 2 },
    { maxPieceLength: 256, minFrequency: 2 },
    { maxPieceLength: 16, minFrequency: -1 },
    { maxPieceLength: 16, minFrequency: Number.NaN },
  ])("are checked: %o", (options) => {
    expect(() => learnUnigram(countsOf(["ab", "ab"]), { ...learning, ...options })).toThrow(ConfigError);
  });
});

describe("digamma", () => {
  it.each([
    [1, -0.5772156649015329],
    [0.5, -1.9635100260214235],
    [10, 2.251752589066721],
    [1000.5, 6.907755320648], // from the asymptotic series by hand: ln x - 1/2x - 1/12x²
  ])("of %d is %d", (x, value) => {
    expect(digamma(x)).toBeCloseTo(value, 9);
  });
});

describe("UnigramSampler", () => {
  const pieces = ["a", "b", "ab", "ba", "aba", "bb", "中", "😀"].map((text, i) => ({
    text,
    score: -1 - ((i * 7) % 5) - i / 9,
  }));
  const sampler = new UnigramSampler(pieces);
  const texts = pieces.map(({ text }) => text);
  const scoreOf = (parts: readonly string[]): number => sum(parts.map((part) => pieces[texts.indexOf(part)]!.score));
  const partsOf = ({ pieces: ids }: { readonly pieces: readonly number[] }): string[] => ids.map((id) => texts[id]!);

  it("finds what trying all segmentations finds, best first", () => {
    const rng = new Rng(6);
    for (let round = 0; round < 100; round++) {
      const text = `${randomWord(rng, "ab", 1 + rng.below(10))}${["", "中", "😀a"][rng.below(3)]}`;
      const ranked = segmentations(text, texts).sort((a, b) => scoreOf(b) - scoreOf(a));
      const found = sampler.nBest(text, 5);
      expect(found.map(({ score }) => score.toFixed(9))).toEqual(
        ranked.slice(0, 5).map((way) => scoreOf(way).toFixed(9)),
      );
      for (const way of found) expect(partsOf(way).join("")).toBe(text);
      expect(partsOf(sampler.best(text))).toEqual(ranked[0]);
    }
  });

  it("gives characters without a piece to no piece", () => {
    expect(sampler.best("a?😐b").pieces).toEqual([0, -1, -1, 1]);
    expect(sampler.best("a?😐b").ends).toEqual([1, 2, 4, 5]);
    expect(sampler.best("").pieces).toEqual([]);
  });

  it.each([
    { alpha: 1, nBest: undefined },
    { alpha: 0.4, nBest: undefined },
    { alpha: 0, nBest: undefined },
    { alpha: 0.7, nBest: 3 },
  ])("draws in proportion to probability to the power alpha: %o", ({ alpha, nBest }) => {
    const rng = new Rng(7);
    const ranked = segmentations("abab", texts).sort((a, b) => scoreOf(b) - scoreOf(a));
    const ways = ranked.slice(0, nBest);
    const weights = ways.map((way) => Math.exp(alpha * scoreOf(way)));
    const draws = 20_000;
    const counts = new Map<string, number>();
    for (let i = 0; i < draws; i++) {
      const key = partsOf(sampler.sample("abab", { rng, alpha, ...(nBest === undefined ? {} : { nBest }) })).join(" ");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBeLessThanOrEqual(ways.length);
    ways.forEach((way, i) => {
      const share = weights[i]! / sum(weights);
      // five standard deviations of a binomial share
      const tolerance = 5 * Math.sqrt((share * (1 - share)) / draws) + 1e-9;
      expect(Math.abs((counts.get(way.join(" ")) ?? 0) / draws - share)).toBeLessThan(tolerance);
    });
  });

  it("rejects what is no power and no number of segmentations", () => {
    const rng = new Rng(8);
    expect(() => sampler.sample("a", { rng, alpha: -1 })).toThrow(ConfigError);
    expect(() => sampler.sample("a", { rng, alpha: Number.NaN })).toThrow(ConfigError);
    expect(() => sampler.sample("a", { rng, alpha: 1, nBest: 0 })).toThrow(ConfigError);
  });
});
