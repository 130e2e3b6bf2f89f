/** @file Where chunkers that embed cut, with embedders whose vectors are known. */
import { describe, expect, it } from "vitest";
import { ConfigError, ShapeError } from "../base/errors.js";
import type { Chunk, EmbedTexts, TokenCounter } from "./chunk.js";
import { clusterSemantic } from "./cluster-semantic.js";
import { late } from "./late.js";
import { semantic } from "./semantic.js";

const counter: TokenCounter = {
  count: (text, start = 0, end = text.length) => text.slice(start, end).match(/\w+/g)?.length ?? 0,
  addsUpAt: (text, index) => /\s/.test(text.charAt(index)),
};
const TOPICS = ["cat", "dog", "car"];

/** How much of a text is of each topic, of length 1. */
const embed: EmbedTexts = async (texts) =>
  texts.map((text) => {
    const counts = TOPICS.map((topic) => text.toLowerCase().split(topic).length - 1);
    const length = Math.hypot(...counts) || 1;
    return Float32Array.from(counts, (count) => count / length);
  });

const text = "Cat one. A cat two. Cat three. Dog four. Dog five. The dog six. Car seven. Car eight.";
const topics = ["Cat one. A cat two. Cat three.", "Dog four. Dog five. The dog six.", "Car seven. Car eight."];

async function texts(chunks: AsyncIterable<Chunk>): Promise<string[]> {
  const list: string[] = [];
  for await (const chunk of chunks) list.push(chunk.text);
  return list;
}

describe("semantic", () => {
  it("cuts where the distance exceeds the percentile", async () => {
    const options = { counter, embed, maxTokens: 100, bufferSentences: 0 };
    expect(await texts(semantic.chunk(text, { ...options, percentile: 70 }))).toEqual(topics);
    // two of seven distances are 1, so that none exceeds the 95th percentile
    expect(await texts(semantic.chunk(text, options))).toEqual([text]);
  });

  it("keeps to maxTokens, between sentences", async () => {
    const options = { counter, embed, maxTokens: 5, bufferSentences: 0, percentile: 70 };
    expect(await texts(semantic.chunk(text, options))).toEqual([
      "Cat one. A cat two.",
      "Cat three.",
      "Dog four. Dog five.",
      "The dog six.",
      "Car seven. Car eight.",
    ]);
  });

  it("refuses a percentile that is none, and an embedder that gives too few vectors", async () => {
    await expect(texts(semantic.chunk(text, { counter, embed, maxTokens: 9, percentile: 101 }))).rejects.toThrow(
      ConfigError,
    );
    const none: EmbedTexts = async () => [];
    await expect(texts(semantic.chunk(text, { counter, embed: none, maxTokens: 9 }))).rejects.toThrow(ShapeError);
  });
});

describe("cluster-semantic", () => {
  it("joins what is alike", async () => {
    expect(await texts(clusterSemantic.chunk(text, { counter, embed, maxTokens: 20, pieceTokens: 3 }))).toEqual(topics);
  });

  it("finds the best of all segmentations", async () => {
    const sentences = [0, 1, 0, 0, 2, 2, 1, 2, 0].map((topic, i) => `The ${TOPICS[topic]} number ${i}.`);
    const long = sentences.join(" ");
    const vectors = await embed(sentences);
    const similarity = (i: number, j: number): number =>
      vectors[i]!.reduce((sum, v, d) => sum + v * vectors[j]![d]!, 0);
    const pairs = sentences.flatMap((_, i) => sentences.map((_, j) => [i, j] as const)).filter(([i, j]) => i !== j);
    const mean = pairs.reduce((sum, [i, j]) => sum + similarity(i, j), 0) / pairs.length;
    /** Every way to cut nine sentences into runs of at most four, with its reward. */
    const ways = (from: number): { starts: number[]; reward: number }[] => {
      if (from === sentences.length) return [{ starts: [], reward: 0 }];
      return [1, 2, 3, 4]
        .filter((size) => from + size <= sentences.length)
        .flatMap((size) => {
          const inside = pairs.filter(([i, j]) => Math.min(i, j) >= from && Math.max(i, j) < from + size);
          const own = inside.reduce((sum, [i, j]) => sum + similarity(i, j) - mean, 0);
          return ways(from + size).map(({ starts, reward }) => ({ starts: [from, ...starts], reward: reward + own }));
        });
    };
    const best = ways(0).reduce((a, b) => (b.reward > a.reward + 1e-9 ? b : a));
    const chunks = await texts(clusterSemantic.chunk(long, { counter, embed, maxTokens: 16, pieceTokens: 4 }));
    const starts = chunks.map((chunk) => sentences.findIndex((sentence) => chunk.startsWith(sentence)));
    const found = ways(0).find((way) => way.starts.join() === starts.join());
    expect(found?.reward).toBeCloseTo(best.reward, 6);
  });
});

describe("late", () => {
  /** A token per word; its vector says how many words stand before it, and whether it is a dog. */
  const embedTokens = async (read: string) => {
    const words = [...read.matchAll(/\w+/g)];
    return {
      starts: Int32Array.from(words, ({ index }) => index),
      ends: Int32Array.from(words, ({ index, 0: word }) => index + word.length),
      vectors: Float32Array.from(words.flatMap(([word], i) => [i, word.toLowerCase() === "dog" ? 1 : 0])),
    };
  };
  const vectors = async (options: object): Promise<number[][]> => {
    const found: number[][] = [];
    for await (const { vector } of late(text, { counter, maxTokens: 8, embedTokens, ...options })) {
      found.push([...vector]);
    }
    return found;
  };
  const unit = (...values: number[]): number[] => values.map((value) => Math.fround(value / Math.hypot(...values)));

  it("pools the vectors that the whole text gave each chunk's tokens", async () => {
    expect(await vectors({})).toEqual(
      [unit(0 + 1 + 2 + 3 + 4 + 5 + 6, 0), unit(7 + 8 + 9 + 10 + 11 + 12 + 13, 3), unit(14 + 15 + 16 + 17, 0)].slice(
        0,
        3,
      ),
    );
  });

  it("reads a long text in parts that overlap, each token from the part with more before it", async () => {
    // parts of ten words, three of them context: words 0-9 and 7-16
    const parts: string[] = [];
    const spy = (read: string) => {
      parts.push(read);
      return embedTokens(read);
    };
    const found = await vectors({ windowTokens: 11, contextTokens: 4, embedTokens: spy });
    expect(parts.length).toBeGreaterThan(1);
    const counts = parts.map((part) => counter.count(part));
    expect(Math.max(...counts)).toBeLessThanOrEqual(11);
    expect(found).toHaveLength(3);
    expect(found[1]![1]).toBeGreaterThan(0);
    expect(found[0]![1]).toBe(0);
  });
});
