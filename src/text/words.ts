/** @file The words of a text as spans, by Unicode's rules and, for Chinese, the runtime's dictionary. */

import { wordLengths } from "./chinese-words.js";
import type { Span } from "./span.js";
import { wordSegments } from "./word-segments.js";

export interface WordOptions {
  /** `split` (default, as UAX 29 has it): well-known is two words. `join`: one, if letters or digits stand on both sides. */
  readonly hyphens?: "split" | "join";
  /**
   * `keep` (default, as UAX 29 has it): don't is one word. `split`: as the Penn Treebank has it, do and n't, it and 's; what
   * is split off has the apostrophe.
   */
  readonly contractions?: "keep" | "split";
}

const hyphen = /^[-‐‑]$/;
const chinese = /^\p{sc=Han}/u;
const contraction = /(?:n['’]t|['’](?:s|m|d|re|ve|ll))$/i;

/**
 * The words of a text in order: letters, numbers (`3.14` and `1,000` are one), ideographs; not white space, punctuation,
 * symbols or emoji. Word boundaries are those of Unicode Standard Annex 29 in the root locale. Chinese, Japanese and Thai are
 * cut by the dictionary of the runtime's ICU, so a newer runtime may cut some of their words otherwise; of Chinese phrases in
 * that dictionary the function words are words of their own (我的 is 我 and 的). Time: in proportion to the text.
 */
export function* words(text: string, options: WordOptions = {}): Generator<Span> {
  const { hyphens = "split", contractions = "keep" } = options;
  for (const word of hyphens === "join" ? joined(text) : segments(text)) {
    const match = contractions === "split" ? contraction.exec(text.slice(word.start, word.end)) : null;
    if (match === null || match.index === 0) yield word;
    else {
      const at = word.start + match.index;
      yield { start: word.start, end: at };
      yield { start: at, end: word.end };
    }
  }
}

function* segments(text: string): Generator<Span> {
  const segmenter = new Intl.Segmenter("und", { granularity: "word" });
  const isKnown = (part: string): boolean => segmenter.segment(part).containing(0)?.segment.length === part.length;
  for (const segment of wordSegments(text, segmenter)) {
    if (!segment.isWord) continue;
    let { start } = segment;
    const lengths = chinese.test(segment.text) ? wordLengths(segment.text, isKnown) : [segment.text.length];
    for (const length of lengths) {
      yield { start, end: start + length };
      start += length;
    }
  }
}

/** Words with single hyphens between them as one. */
function* joined(text: string): Generator<Span> {
  let word: Span | undefined;
  for (const next of segments(text)) {
    if (word !== undefined && hyphen.test(text.slice(word.end, next.start)))
      word = { start: word.start, end: next.end };
    else {
      if (word !== undefined) yield word;
      word = next;
    }
  }
  if (word !== undefined) yield word;
}
