/** @file A model that encodes words one by one and can say where each token came from; what comes back is remembered. */

import type { TokenModel } from "../token-model.js";
import type { Vocabulary } from "../vocabulary.js";
import type { IntList } from "./int-list.js";
import { SpanList } from "./span-list.js";
import { WordEncoder } from "./word-encoder.js";

export abstract class WordModel implements TokenModel {
  readonly vocabulary: Vocabulary;
  readonly #words: WordEncoder;
  readonly #spans = new SpanList();

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
    this.#words = new WordEncoder((text, start, end, ids) => {
      const spans = this.#encodeWord(text, start, end);
      for (let i = 0; i < spans.length; i++) ids[i] = spans.ids.at(i);
      return spans.length;
    });
  }

  get vocabSize(): number {
    return this.vocabulary.size;
  }

  count(text: string, start: number, end: number): number {
    return this.#words.count(text, start, end);
  }

  encode(text: string, start: number, end: number, ids: IntList): void {
    this.#words.encode(text, start, end, ids);
  }

  encodeWithOffsets(text: string, start: number, end: number, ids: IntList, offsets: IntList): void {
    this.#encodeWord(text, start, end).appendTo(ids, offsets);
  }

  tokenId(token: string): number | undefined {
    return this.vocabulary.id(token);
  }

  token(id: number): string | undefined {
    return this.vocabulary.tokens[id];
  }

  /** Puts the tokens of a word, at most three per code unit, into an empty list. */
  protected abstract fill(text: string, start: number, end: number, spans: SpanList): void;

  #encodeWord(text: string, start: number, end: number): SpanList {
    this.#spans.clear();
    this.fill(text, start, end, this.#spans);
    return this.#spans;
  }
}
