/** @file Learns merges of character symbols from word counts (BPE, Sennrich et al. 2016, arXiv:1508.07909). */

import { PairCounts } from "../algorithms/pair-counts.js";
import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import { codePointTable } from "./alphabet.js";
import { checkInteger, checkRoom, type ProgressListener, tooFewTokens } from "./training.js";
import type { WordCounts } from "./word-counts.js";

export interface MergeLearning {
  /** Names the trainer in errors. */
  readonly trainer: string;
  readonly vocabSize: number;
  readonly minFrequency: number;
  /** Tokens with the first ids, such as special ones. */
  readonly reserved: readonly string[];
  /** Single characters, in the order of their ids. */
  readonly alphabet: readonly string[];
  /** Written before each symbol that does not begin its word (`##`); "" for none. */
  readonly continuation: string;
  /** Words with a character outside the alphabet are `dropped`, or `cut` there so that nothing merges across it. */
  readonly unknownWords: "dropped" | "cut";
  readonly onProgress?: ProgressListener | undefined;
}

/** Tokens by id, and the pairs of tokens that merge, earliest first. */
export interface LearnedMerges {
  readonly tokens: readonly string[];
  readonly merges: readonly (readonly [left: string, right: string])[];
}

const mergesPerReport = 100;

/**
 * Reserved tokens, the alphabet (then its continuations), and one token per merge: always the most frequent pair, and
 * among equals the one with the smaller ids. Hugging Face's trainers make the same merges; they join the neighbours of
 * an unknown character, though, which no text has side by side, and we do not.
 * @throws ConfigError when `vocabSize` cannot hold the alphabet, or the words do not have so many pairs.
 */
export function learnMerges(words: WordCounts, learning: MergeLearning): LearnedMerges {
  const { trainer, vocabSize, minFrequency, continuation, onProgress } = learning;
  checkInteger(trainer, "minFrequency", minFrequency, 0);
  const symbols = initialSymbols(words, learning);
  const tokens = [...new Set([...learning.reserved, ...learning.alphabet, ...symbols.continued])];
  checkRoom(trainer, vocabSize, {
    "reserved tokens": learning.reserved.length,
    "characters with their continuations": tokens.length - learning.reserved.length,
  });
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const pairs = countPairs(words, learning, ids);
  const merges: [string, string][] = [];
  while (tokens.length < vocabSize) {
    const pair = pairs.mostFrequent();
    if (pair === undefined || pair.count < Math.max(1, minFrequency)) break;
    const [left, right] = [tokens[pair.left]!, tokens[pair.right]!];
    const product = left + right.slice(continuation.length);
    const id = ids.get(product) ?? tokens.push(product) - 1;
    ids.set(product, id);
    merges.push([left, right]);
    pairs.merge(pair, id);
    if (merges.length % mergesPerReport === 0) onProgress?.({ phase: "merge", done: tokens.length, total: vocabSize });
  }
  if (tokens.length < vocabSize) throw tooFewTokens(trainer, vocabSize, tokens.length, minFrequency);
  onProgress?.({ phase: "merge", done: tokens.length, total: vocabSize });
  return { tokens, merges };
}

/** The continuations that occur, in the alphabet's order; none where continuations look like beginnings. */
function initialSymbols(words: WordCounts, { alphabet, continuation }: MergeLearning): { continued: string[] } {
  if (continuation === "") return { continued: [] };
  const occurs = new Uint8Array(0x110000);
  words.forEach((word) => {
    let isFirst = true;
    for (const character of word) {
      if (!isFirst) occurs[character.codePointAt(0)!] = 1;
      isFirst = false;
    }
  });
  const continued = alphabet.filter((character) => occurs[character.codePointAt(0)!] === 1);
  return { continued: continued.map((character) => continuation + character) };
}

function countPairs(words: WordCounts, learning: MergeLearning, ids: ReadonlyMap<string, number>): PairCounts {
  const { alphabet, continuation, unknownWords } = learning;
  const beginnings = codePointTable(alphabet.map((c) => [c, ids.get(c)!]));
  const continuations = codePointTable(alphabet.map((c) => [c, ids.get(continuation + c) ?? -1]));
  const pairs = new PairCounts();
  let symbols: number[] = [];
  const endWord = (count: number): void => {
    if (symbols.length === 0) return;
    for (const symbol of symbols) pairs.addSymbol(symbol);
    pairs.endWord(count);
    symbols = [];
  };
  words.forEach((word, count) => {
    for (let i = 0; i < word.length; ) {
      const codePoint = codePointAt(word, i, word.length);
      const id = (i === 0 ? beginnings : continuations)[codePoint]!;
      if (id >= 0) {
        symbols.push(id);
      } else if (unknownWords === "dropped") {
        symbols = [];
        return;
      } else {
        endWord(count);
      }
      i += utf16Width(codePoint);
    }
    endWord(count);
  });
  pairs.countAll();
  return pairs;
}
