import { describe, expect, it } from "vitest";
import { DataError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { Vocabulary } from "../vocabulary.js";
import { IntList } from "./int-list.js";
import { Trie } from "./trie.js";
import { Unigram } from "./unigram.js";

const words = ["?", "a", "b", "ab", "ba", "aba", "bb", "中", "中a", "😀", "abab"];

function unigram(scores: Float64Array, unkId: number | undefined): Unigram {
  const vocabulary = new Vocabulary(words);
  return new Unigram({
    vocabulary,
    scores,
    words: new Trie([...vocabulary.entries()].filter(([, id]) => id !== 0)),
    unknownScore: -30,
    unknown: { unkId, fuses: true },
    precision: "double",
  });
}

/** The largest sum over all ways to cut the text, by trying them all. */
function bestSum(text: string, scores: Float64Array): number {
  if (text === "") return 0;
  const [first = ""] = text;
  const starts = words.flatMap((word, id) =>
    id > 0 && text.startsWith(word) ? [[word.length, scores[id]!] as const] : [],
  );
  const options = words.indexOf(first) > 0 ? starts : [...starts, [first.length, -30] as const];
  return Math.max(...options.map(([length, score]) => score + bestSum(text.slice(length), scores)));
}

describe("Unigram", () => {
  it("finds the best of all ways to cut a text, in spans that cover it", () => {
    const rng = new Rng(5);
    for (let round = 0; round < 400; round++) {
      const scores = Float64Array.from(words, () => -1 - rng.below(1000) / 100);
      const model = unigram(scores, 0);
      const parts = [..."aabb中x😀"];
      const text = Array.from({ length: 1 + rng.below(9) }, () => parts[rng.below(parts.length)]).join("");
      const [ids, offsets] = [new IntList(), new IntList()];
      model.encodeWithOffsets(text, 0, text.length, ids, offsets);
      let [sum, place] = [0, 0];
      for (let i = 0; i < ids.length; i++) {
        const [start, end] = [offsets.at(2 * i), offsets.at(2 * i + 1)];
        expect(start).toBe(place);
        place = end;
        const piece = text.slice(start, end);
        sum += ids.at(i) === 0 ? -30 * [...piece].length : scores[ids.at(i)]!;
        if (ids.at(i) !== 0) expect(words[ids.at(i)]).toBe(piece);
      }
      expect(place).toBe(text.length);
      expect(sum).toBeCloseTo(bestSum(text, scores), 9);
      expect(model.count(text, 0, text.length)).toBe(ids.length);
    }
  });

  it("says which character has no token when there is none for the unknown", () => {
    const model = unigram(
      Float64Array.from(words, () => -1),
      undefined,
    );
    expect(() => model.count("ax", 0, 2)).toThrow(DataError);
    expect(() => model.count("ax", 0, 2)).toThrow(/"x".*unk_id/);
  });
});

describe("Trie", () => {
  it("finds the longest word at a place, and none beyond the end", () => {
    const trie = new Trie(words.map((word, id) => [word, id]));
    expect(trie.longest("xababa", 1, 6)).toEqual({ length: 4, value: 10 });
    expect(trie.longest("xababa", 1, 4)).toEqual({ length: 3, value: 5 });
    expect(trie.longest("xababa", 0, 6)).toEqual({ length: 0, value: -1 });
  });

  it("keeps many words apart", () => {
    const many = Array.from({ length: 5000 }, (_, i) => [`w${i}`, i] as const);
    const trie = new Trie(many);
    for (const [word, value] of many) expect(trie.longest(`${word}!`, 0, word.length + 1).value).toBe(value);
  });
});
