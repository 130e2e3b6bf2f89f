/** @file Learns the vocabulary and merges of byte-level BPE from texts (Sennrich et al. 2016, arXiv:1508.07909). */

import { ConfigError } from "../../base/errors.js";
import type { Pretokenizer } from "../pretokenizers/pretokenizer.js";
import { byteCharacters } from "./byte-alphabet.js";
import { PairCounts } from "./pair-counts.js";
import { codePointAt, utf8Byte, utf8Width, utf16Width } from "./utf8.js";
import { WordTable } from "./word-table.js";

export interface BpeTrainingProgress {
  readonly phase: "count words" | "merge";
  /** Texts read, or tokens in the vocabulary. */
  readonly done: number;
  /** Tokens asked for; unknown while texts are read, as they may be a stream. */
  readonly total?: number;
}

export interface BpeTrainingOptions {
  /** Most tokens in the vocabulary, special ones included; there are fewer when no pair is left to merge. */
  readonly vocabSize: number;
  /** Fewest occurrences of a pair that is merged. Default 2: what occurs once teaches nothing. */
  readonly minFrequency?: number;
  /** Take the first ids, in this order. They are not looked for in the texts. */
  readonly specialTokens?: readonly string[];
  /** Called every thousand texts or hundred merges. */
  readonly onProgress?: (progress: BpeTrainingProgress) => void;
}

/** What was learned: vocabulary entries by id, and the pairs that merge, earliest first. */
export interface BpeVocabulary {
  readonly tokens: string[];
  readonly merges: [left: number, right: number][];
}

/** Words with how often they occur. */
interface WordCounts {
  readonly words: WordTable;
  readonly counts: readonly number[];
}

/**
 * Special tokens, then all 256 bytes, then one token per merge: always the most frequent pair, and among equals the
 * one with the smaller ids. Given the same settings, Hugging Face's `BpeTrainer` learns the same. Deterministic.
 * @throws ConfigError when the vocabulary cannot hold the bytes and the special tokens.
 */
export function trainBpe(texts: Iterable<string>, cutter: Pretokenizer, options: BpeTrainingOptions): BpeVocabulary {
  const { vocabSize, minFrequency = 2, specialTokens = [], onProgress } = options;
  const tokens = [...new Set([...specialTokens, ...[...byteCharacters].sort()])];
  if (!(Number.isInteger(vocabSize) && vocabSize >= tokens.length)) {
    throw new ConfigError(
      `BPE training: vocabSize must be at least ${tokens.length} (256 bytes and the special tokens), got ${vocabSize}`,
    );
  }
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const pairs = pairCounts(countWords(texts, cutter, onProgress), ids);
  const merges: [number, number][] = [];
  while (tokens.length < vocabSize) {
    const pair = pairs.mostFrequent();
    if (pair === undefined || pair.count < Math.max(1, minFrequency)) break;
    const product = `${tokens[pair.left]}${tokens[pair.right]}`;
    const id = ids.get(product) ?? tokens.push(product) - 1;
    ids.set(product, id);
    merges.push([pair.left, pair.right]);
    pairs.merge(pair, id);
    if (merges.length % 100 === 0) onProgress?.({ phase: "merge", done: tokens.length, total: vocabSize });
  }
  onProgress?.({ phase: "merge", done: tokens.length, total: vocabSize });
  return { tokens, merges };
}

function countWords(
  texts: Iterable<string>,
  cutter: Pretokenizer,
  onProgress: BpeTrainingOptions["onProgress"],
): WordCounts {
  const words = new WordTable();
  const counts: number[] = [];
  let text = "";
  const visit = (start: number, end: number): boolean => {
    const slot = words.find(text, start, end);
    if (slot >= 0) counts[words.value(slot)]!++;
    else words.add(text, start, end, counts.push(1) - 1);
    return true;
  };
  let done = 0;
  for (text of texts) {
    cutter.scan(text, 0, text.length, visit);
    if (++done % 1000 === 0) onProgress?.({ phase: "count words", done });
  }
  onProgress?.({ phase: "count words", done });
  return { words, counts };
}

function pairCounts({ words, counts }: WordCounts, ids: ReadonlyMap<string, number>): PairCounts {
  const byteIds = Int32Array.from(byteCharacters, (character) => ids.get(character)!);
  const pairs = new PairCounts();
  words.forEach((word, index) => {
    for (let i = 0; i < word.length; ) {
      const codePoint = codePointAt(word, i, word.length);
      const width = utf8Width(codePoint);
      for (let k = 0; k < width; k++) pairs.addSymbol(byteIds[utf8Byte(codePoint, k, width)]!);
      i += utf16Width(codePoint);
    }
    pairs.endWord(counts[index]!);
  });
  pairs.countAll();
  return pairs;
}
