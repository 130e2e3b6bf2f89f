/** @file WordPiece (Schuster and Nakajima 2012; as BERT uses it): the longest token that fits, again and again. */

import type { Vocabulary } from "../vocabulary.js";
import type { SpanList } from "./span-list.js";
import { Trie } from "./trie.js";
import { WordModel } from "./word-model.js";

export interface WordPieceOptions {
  readonly vocabulary: Vocabulary;
  /** The token for words that cannot be put together. */
  readonly unkId: number;
  /** Begins the tokens that go on a word (`##`). */
  readonly continuingPrefix: string;
  /** Longer words, in characters, are unknown. */
  readonly maxWordLength: number;
  /** Ids that no text gives, such as those of special tokens. */
  readonly hidden?: ReadonlySet<number>;
}

export class WordPiece extends WordModel {
  readonly options: WordPieceOptions;
  readonly #beginnings: Trie;
  readonly #continuations: Trie;

  constructor(options: WordPieceOptions) {
    super(options.vocabulary);
    this.options = options;
    const prefix = options.continuingPrefix;
    const visible = [...options.vocabulary.entries()].filter(([, id]) => options.hidden?.has(id) !== true);
    this.#beginnings = new Trie(visible);
    this.#continuations = new Trie(
      visible.filter(([token]) => token.startsWith(prefix)).map(([token, id]) => [token.slice(prefix.length), id]),
    );
  }

  protected override fill(text: string, start: number, end: number, spans: SpanList): void {
    let at = isLonger(text, start, end, this.options.maxWordLength) ? -1 : start;
    while (at >= 0 && at < end) {
      const { length, value } = (at === start ? this.#beginnings : this.#continuations).longest(text, at, end);
      if (length > 0) spans.push(value, at, at + length);
      at = length > 0 ? at + length : -1;
    }
    if (at >= 0) return;
    spans.clear();
    spans.push(this.options.unkId, start, end);
  }
}

/** Whether the word has more than `limit` characters. */
function isLonger(text: string, start: number, end: number, limit: number): boolean {
  if (end - start <= limit) return false;
  let count = 0;
  for (let at = start; at < end; at++) if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) count++;
  return count > limit;
}
