/**
 * @file Unigram (Kudo 2018, arXiv:1804.10959): of all ways to cut a text into tokens the one with the largest sum of
 * log probabilities, found by Viterbi's algorithm.
 */

import { DataError } from "../../base/errors.js";
import type { Vocabulary } from "../vocabulary.js";
import { IntList } from "./int-list.js";
import type { SpanList } from "./span-list.js";
import { root, type Trie } from "./trie.js";
import { pushBytes, type UnknownRule } from "./unknown.js";
import { codePointAt, utf8Width, utf16Width } from "./utf8.js";
import { WordModel } from "./word-model.js";

/** Below the worst token by so much lies what is unknown. */
export const unknownPenalty = 10;

export interface UnigramOptions {
  readonly vocabulary: Vocabulary;
  /** Log probability by id. */
  readonly scores: Float64Array;
  /** The tokens that a text may give, with their ids. */
  readonly words: Trie;
  /** Log probability of an unknown character. */
  readonly unknownScore: number;
  readonly unknown: UnknownRule;
  /** Sums in which precision: `float` as SentencePiece, `double` as Hugging Face's library. They differ where sums nearly tie. */
  readonly precision: "float" | "double";
}

export class Unigram extends WordModel {
  readonly options: UnigramOptions;
  /** By position: score of the best way there, where its last token begins, and that token; -1 where there is no way yet. */
  #best: Float32Array | Float64Array;
  #starts = new Int32Array(0);
  #tokens = new Int32Array(0);
  readonly #places = new IntList();

  constructor(options: UnigramOptions) {
    super(options.vocabulary);
    this.options = options;
    this.#best = options.precision === "float" ? new Float32Array(0) : new Float64Array(0);
  }

  /** @throws DataError on an unknown character when there is no token for it. */
  protected override fill(text: string, start: number, end: number, spans: SpanList): void {
    this.#findBest(text, start, end);
    const { unkId, fuses } = this.options.unknown;
    const places = this.#places;
    places.clear();
    for (let at = end - start; at > 0; at = this.#starts[at]!) places.push(at);
    let from = 0;
    for (let i = places.length - 1; i >= 0; i--) {
      const to = places.at(i);
      const id = this.#tokens[to]!;
      if (id !== unkId) {
        spans.push(id, start + from, start + to);
      } else {
        if (fuses && i > 0 && this.#tokens[places.at(i - 1)] === unkId) continue;
        this.#pushUnknown(text, start + from, start + to, spans);
      }
      from = to;
    }
  }

  #findBest(text: string, start: number, end: number): void {
    const length = end - start;
    this.#prepare(length);
    const { scores, words, unknownScore, unknown, precision } = this.options;
    const isFloat = precision === "float";
    const best = this.#best;
    const starts = this.#starts;
    const tokens = this.#tokens;
    for (let at = 0; at < length; ) {
      const sum = best[at]!;
      const width = utf16Width(codePointAt(text, start + at, end));
      let hasCharacter = false;
      let node = root;
      for (let i = at; i < length; i++) {
        const slot = words.step(node, text.charCodeAt(start + i));
        if (slot < 0) break;
        node = words.node(slot);
        const id = words.value(slot);
        if (id < 0) continue;
        const place = i + 1;
        if (place - at === width) hasCharacter = true;
        const score = isFloat ? Math.fround(sum + scores[id]!) : sum + scores[id]!;
        if (starts[place]! >= 0 && score <= best[place]!) continue;
        best[place] = score;
        starts[place] = at;
        tokens[place] = id;
      }
      if (!hasCharacter) {
        const place = at + width;
        const score = isFloat ? Math.fround(sum + unknownScore) : sum + unknownScore;
        if (starts[place]! < 0 || score > best[place]!) {
          if (unknown.unkId === undefined) throw unknownCharacter(text.slice(start + at, start + place));
          best[place] = score;
          starts[place] = at;
          tokens[place] = unknown.unkId;
        }
      }
      at += width;
    }
  }

  #prepare(length: number): void {
    if (this.#starts.length <= length) {
      const size = Math.max(256, 2 * length);
      this.#best = this.options.precision === "float" ? new Float32Array(size) : new Float64Array(size);
      this.#starts = new Int32Array(size);
      this.#tokens = new Int32Array(size);
    }
    this.#best[0] = 0;
    this.#starts.fill(-1, 0, length + 1);
  }

  /** A stretch of unknown characters may be a token as a whole, one that is less likely than its unknown parts. */
  #pushUnknown(text: string, start: number, end: number, spans: SpanList): void {
    const { unkId, byteIds } = this.options.unknown;
    const { length, value } = this.options.words.longest(text, start, end);
    const isToken = length === end - start;
    if (isToken || pushBytes(text, start, end, byteIds, spans.ids) === 0) {
      spans.push(isToken ? value : unkId!, start, end);
      return;
    }
    for (let at = start; at < end; ) {
      const codePoint = codePointAt(text, at, end);
      for (let k = utf8Width(codePoint); k > 0; k--) {
        spans.starts.push(at);
        spans.ends.push(at + utf16Width(codePoint));
      }
      at += utf16Width(codePoint);
    }
  }
}

function unknownCharacter(character: string): DataError {
  return new DataError(
    `encode: the character "${character}" is not in the vocabulary, which has no unknown token; add the character or an unk_id`,
  );
}
