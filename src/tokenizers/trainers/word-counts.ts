/** @file Counts the words of texts: what every trainer learns from. */

import { WordTable } from "../algorithms/word-table.js";
import type { Pretokenizer } from "../pretokenizers/pretokenizer.js";
import type { ProgressListener, TrainingTexts } from "./training.js";

/** How a text becomes words: what the tokenizer will do before its model, so that both see the same. */
export interface WordCutter {
  /** Rewrites the text; a prefix space is part of it. */
  readonly normalize: (text: string) => string;
  readonly pretokenizer: Pick<Pretokenizer, "scan">;
}

const textsPerReport = 1000;

export class WordCounts {
  readonly #words = new WordTable();
  readonly #counts: number[] = [];

  /** Number of different words. */
  get size(): number {
    return this.#counts.length;
  }

  /** Code units over all different words. */
  get numCharacters(): number {
    return this.#words.numCharacters;
  }

  add(text: string, cutter: WordCutter): void {
    const words = this.#words;
    const counts = this.#counts;
    const normalized = cutter.normalize(text);
    cutter.pretokenizer.scan(normalized, 0, normalized.length, (start, end) => {
      const slot = words.find(normalized, start, end);
      if (slot >= 0) counts[words.value(slot)]!++;
      else words.add(normalized, start, end, counts.push(1) - 1);
      return true;
    });
  }

  /** Calls back with each word; the order depends on nothing but the words and the order in which they first came. */
  forEach(visit: (word: string, count: number) => void): void {
    this.#words.forEach((word, index) => {
      visit(word, this.#counts[index]!);
    });
  }
}

/** Reads all texts. Awaits each one, so that a stream may take its time. */
export async function countWords(
  texts: TrainingTexts,
  cutter: WordCutter,
  onProgress?: ProgressListener,
): Promise<WordCounts> {
  const words = new WordCounts();
  let done = 0;
  for await (const text of texts) {
    words.add(text, cutter);
    if (++done % textsPerReport === 0) onProgress?.({ phase: "read", done });
  }
  onProgress?.({ phase: "read", done });
  return words;
}
