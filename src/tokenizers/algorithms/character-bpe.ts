/**
 * @file BPE whose first symbols are characters (Sennrich et al. 2016, arXiv:1508.07909): ranked pairs merge; characters
 * that the vocabulary lacks become bytes or the unknown token. SentencePiece's BPE is the same with pairs ranked by score.
 */

import type { Vocabulary } from "../vocabulary.js";
import { PairMerger } from "./pair-merger.js";
import type { PairTable } from "./pair-table.js";
import type { SpanList } from "./span-list.js";
import type { Trie } from "./trie.js";
import { pushBytes, type UnknownRule } from "./unknown.js";
import { codePointAt, utf16Width } from "./utf8.js";
import { WordModel } from "./word-model.js";

export interface CharacterBpeOptions {
  readonly vocabulary: Vocabulary;
  /** Which symbols merge, and into what. A character that is no token is the symbol `vocabulary.size` plus its code point. */
  readonly pairs: PairTable;
  readonly unknown: UnknownRule;
  /** Written before every character of a word but the first (`##`). */
  readonly continuingPrefix?: string;
  /** Written after a word's last character (`</w>`). */
  readonly wordSuffix?: string;
  /** A word that is itself a token is that token. */
  readonly wholeWords?: boolean;
  /** Tokens that are taken from a text before all else and never merge; the longest wins. */
  readonly fixedTokens?: Trie | undefined;
  /** Ids that no text gives, such as those of special tokens. */
  readonly hidden?: ReadonlySet<number>;
}

export class CharacterBpe extends WordModel {
  readonly options: CharacterBpeOptions;
  readonly #merger: PairMerger;
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #hidden: ReadonlySet<number>;
  /** Id by code unit, -1 where there is none; all characters of a word are the same when nothing is written around them. */
  readonly #unitIds: Int32Array | undefined;
  #symbols = new Int32Array(256);

  constructor(options: CharacterBpeOptions) {
    super(options.vocabulary);
    this.options = options;
    this.#merger = new PairMerger(options.pairs);
    this.#prefix = options.continuingPrefix ?? "";
    this.#suffix = options.wordSuffix ?? "";
    this.#hidden = options.hidden ?? new Set();
    if (this.#prefix === "" && this.#suffix === "") this.#unitIds = this.#idsByUnit();
  }

  protected override fill(text: string, start: number, end: number, spans: SpanList): void {
    if (this.options.wholeWords) {
      const id = this.#visibleId(text.slice(start, end));
      if (id !== undefined) {
        spans.push(id, start, end);
        return;
      }
    }
    if (this.#symbols.length < end - start) this.#symbols = new Int32Array(2 * (end - start));
    const symbols = this.#symbols;
    const count = this.#merger.merge(symbols, this.#split(text, start, end, symbols));
    this.#finish(text, start, symbols, count, spans);
  }

  #split(text: string, start: number, end: number, symbols: Int32Array): number {
    const fixed = this.options.fixedTokens;
    let count = 0;
    for (let at = start; at < end; ) {
      const { length, value } = fixed?.longest(text, at, end) ?? noMatch;
      if (length > 0) {
        symbols[count++] = value;
        at += length;
        continue;
      }
      const codePoint = codePointAt(text, at, end);
      const next = at + utf16Width(codePoint);
      symbols[count++] = this.#symbol(codePoint, at === start, next >= end);
      at = next;
    }
    return count;
  }

  #symbol(codePoint: number, isFirst: boolean, isLast: boolean): number {
    if (this.#unitIds !== undefined && codePoint < 0x10000) {
      const id = this.#unitIds[codePoint]!;
      return id < 0 ? this.vocabSize + codePoint : id;
    }
    const token = (isFirst ? "" : this.#prefix) + String.fromCodePoint(codePoint) + (isLast ? this.#suffix : "");
    return this.#visibleId(token) ?? this.vocabSize + codePoint;
  }

  /** Gives each symbol its place in the text, and tokens to what is still an unknown character. */
  #finish(text: string, start: number, symbols: Int32Array, count: number, spans: SpanList): void {
    const { unkId, fuses, byteIds } = this.options.unknown;
    let at = start;
    let [unkStart, unkEnd] = [-1, -1];
    const flush = (): void => {
      if (unkStart >= 0 && unkId !== undefined) spans.push(unkId, unkStart, unkEnd);
      unkStart = -1;
    };
    for (let i = 0; i < count; i++) {
      const symbol = symbols[i]!;
      const isKnown = symbol < this.vocabSize;
      const next =
        at + (isKnown ? this.#width(symbol, at === start, i === count - 1) : utf16Width(symbol - this.vocabSize));
      const numBytes = isKnown ? 0 : pushBytes(text, at, next, byteIds, spans.ids);
      for (let k = 0; k < numBytes; k++) {
        spans.starts.push(at);
        spans.ends.push(next);
      }
      if (isKnown) {
        flush();
        spans.push(symbol, at, next);
      } else if (numBytes === 0) {
        if (!fuses) flush();
        if (unkStart < 0) unkStart = at;
        unkEnd = next;
      }
      at = next;
    }
    flush();
  }

  /** Code units of text that a token stands for. */
  #width(id: number, isFirst: boolean, isLast: boolean): number {
    const token = this.vocabulary.tokens[id]!;
    const prefix = !isFirst && token.startsWith(this.#prefix) ? this.#prefix.length : 0;
    const suffix = isLast && token.endsWith(this.#suffix) ? this.#suffix.length : 0;
    return token.length - prefix - suffix;
  }

  #visibleId(token: string): number | undefined {
    const id = this.vocabulary.id(token);
    return id === undefined || this.#hidden.has(id) ? undefined : id;
  }

  #idsByUnit(): Int32Array {
    const ids = new Int32Array(0x10000).fill(-1);
    for (const [token, id] of this.vocabulary.entries()) {
      if (token.length === 1 && !this.#hidden.has(id)) ids[token.charCodeAt(0)] = id;
    }
    return ids;
  }
}

const noMatch = { length: 0, value: -1 };
