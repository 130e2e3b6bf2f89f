/** @file SentencePiece's word model: each word with its space mark is a piece or unknown. */

import type { Vocabulary } from "../vocabulary.js";
import type { SpanList } from "./span-list.js";
import type { Trie } from "./trie.js";
import { pushBytes, type UnknownRule } from "./unknown.js";
import { WordModel } from "./word-model.js";

export interface MarkedWordsOptions {
  readonly vocabulary: Vocabulary;
  /** The pieces that a text may give. */
  readonly words: Trie;
  readonly unknown: UnknownRule;
  /** One code unit. */
  readonly spaceMark: string;
}

export class MarkedWords extends WordModel {
  readonly options: MarkedWordsOptions;

  constructor(options: MarkedWordsOptions) {
    super(options.vocabulary);
    this.options = options;
  }

  protected override fill(text: string, start: number, end: number, spans: SpanList): void {
    let unkStart = -1;
    for (let at = start; at < end; ) {
      const next = this.#wordEnd(text, at, end);
      const { length, value } = this.options.words.longest(text, at, next);
      const isKnown = length === next - at;
      if (isKnown) {
        if (unkStart >= 0) this.#pushUnknown(text, unkStart, at, spans);
        unkStart = -1;
        spans.push(value, at, next);
      } else if (unkStart < 0) unkStart = at;
      at = next;
    }
    if (unkStart >= 0) this.#pushUnknown(text, unkStart, end, spans);
  }

  /** A word begins with a mark. */
  #wordEnd(text: string, start: number, end: number): number {
    const next = text.indexOf(this.options.spaceMark, start + 1);
    return next < 0 ? end : Math.min(next, end);
  }

  #pushUnknown(text: string, start: number, end: number, spans: SpanList): void {
    const { unkId, byteIds } = this.options.unknown;
    const numBytes = pushBytes(text, start, end, byteIds, spans.ids);
    for (let i = 0; i < numBytes; i++) {
      spans.starts.push(start);
      spans.ends.push(end);
    }
    if (numBytes === 0 && unkId !== undefined) spans.push(unkId, start, end);
  }
}
