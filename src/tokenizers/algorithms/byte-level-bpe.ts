/** @file Byte-level BPE (GPT-2, Radford et al. 2019): every byte is a symbol, and ranked pairs of symbols merge. */

import { CheckpointError } from "../../base/errors.js";
import type { TokenModel } from "../token-model.js";
import { byteCharacters } from "./byte-alphabet.js";
import { ByteSpans } from "./byte-spans.js";
import type { IntList } from "./int-list.js";
import { PairMerger } from "./pair-merger.js";
import { PairTable } from "./pair-table.js";
import { codePointAt, utf8Byte, utf8Width, utf16Width } from "./utf8.js";
import { WordEncoder } from "./word-encoder.js";

export interface ByteLevelBpeOptions {
  /** Vocabulary entry by id, in the byte alphabet; ids without a token are undefined. */
  readonly tokens: readonly (string | undefined)[];
  /** Pairs of ids that merge, earliest first. */
  readonly merges: Iterable<readonly [left: number, right: number]>;
  /** A word that is itself a token is that token, whatever the merges say (Llama 3). Default false. */
  readonly wholeWords?: boolean;
  /** Ids that no text gives, such as those of special tokens. */
  readonly hidden?: ReadonlySet<number>;
}

export class ByteLevelBpe implements TokenModel {
  readonly wholeWords: boolean;
  readonly #tokens: readonly (string | undefined)[];
  readonly #ids: Map<string, number>;
  readonly #pairs: PairTable;
  readonly #words: WordEncoder;
  readonly #merger: PairMerger;
  readonly #hidden: ReadonlySet<number>;
  /** Id of each byte; -1 where the vocabulary has none. */
  readonly #byteIds: Int32Array;
  /** How many bytes of a character have a token. */
  readonly #numBytes: (codePoint: number) => number;

  /** @throws CheckpointError when a merge makes a token that the vocabulary lacks. */
  constructor({ tokens, merges, wholeWords = false, hidden = new Set() }: ByteLevelBpeOptions) {
    this.#tokens = tokens;
    this.#ids = idsByToken(tokens);
    this.#pairs = pairTable(tokens, this.#ids, [...merges]);
    this.#byteIds = Int32Array.from(byteCharacters, (character) => this.#ids.get(character) ?? -1);
    this.#numBytes = this.#byteIds.includes(-1) ? (codePoint) => numKnownBytes(codePoint, this.#byteIds) : utf8Width;
    this.wholeWords = wholeWords;
    this.#hidden = hidden;
    this.#merger = new PairMerger(this.#pairs);
    this.#words = new WordEncoder((text, start, end, symbols) =>
      this.#merger.merge(symbols, this.#split(text, start, end, symbols)),
    );
  }

  get vocabSize(): number {
    return this.#tokens.length;
  }

  /**
   * Bytes without a token. Text that has them loses them, as it does in Hugging Face's library: the model has no way
   * to be told. Real vocabularies lack bytes that UTF-8 never has, and at most a few control characters.
   */
  get missingBytes(): number[] {
    return Array.from(this.#byteIds.keys()).filter((byte) => this.#byteIds[byte]! < 0);
  }

  /** Pairs of ids that merge, earliest first. */
  merges(): [left: number, right: number][] {
    return this.#pairs.byRank();
  }

  count(text: string, start: number, end: number): number {
    return this.#words.count(text, start, end);
  }

  encode(text: string, start: number, end: number, ids: IntList): void {
    this.#words.encode(text, start, end, ids);
  }

  encodeWithOffsets(text: string, start: number, end: number, ids: IntList, offsets: IntList): void {
    const first = ids.length;
    this.#words.encode(text, start, end, ids);
    const spans = new ByteSpans(text, start, end, this.#numBytes);
    for (let i = first; i < ids.length; i++) spans.push(this.#numTokenBytes(ids.at(i)), offsets);
  }

  tokenId(token: string): number | undefined {
    return this.#ids.get(token);
  }

  token(id: number): string | undefined {
    return this.#tokens[id];
  }

  #split(text: string, start: number, end: number, symbols: Int32Array): number {
    if (this.wholeWords) {
      const id = this.#wholeWord(text, start, end);
      if (id !== undefined) {
        symbols[0] = id;
        return 1;
      }
    }
    let count = 0;
    for (let i = start; i < end; ) {
      const codePoint = codePointAt(text, i, end);
      const width = utf8Width(codePoint);
      for (let k = 0; k < width; k++) {
        const id = this.#byteIds[utf8Byte(codePoint, k, width)]!;
        if (id >= 0) symbols[count++] = id;
      }
      i += utf16Width(codePoint);
    }
    return count;
  }

  #wholeWord(text: string, start: number, end: number): number | undefined {
    let word = "";
    for (let i = start; i < end; ) {
      const codePoint = codePointAt(text, i, end);
      const width = utf8Width(codePoint);
      for (let k = 0; k < width; k++) word += byteCharacters[utf8Byte(codePoint, k, width)];
      i += utf16Width(codePoint);
    }
    const id = this.#ids.get(word);
    return id === undefined || this.#hidden.has(id) ? undefined : id;
  }

  /** Every token that a text gives is written in the byte alphabet. */
  #numTokenBytes(id: number): number {
    return this.#tokens[id]!.length;
  }
}

function idsByToken(tokens: readonly (string | undefined)[]): Map<string, number> {
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    if (token !== undefined) ids.set(token, id);
  });
  return ids;
}

function pairTable(
  tokens: readonly (string | undefined)[],
  ids: ReadonlyMap<string, number>,
  merges: readonly (readonly [number, number])[],
): PairTable {
  const pairs = new PairTable(merges.length);
  merges.forEach(([left, right], rank) => {
    const product = `${tokens[left]}${tokens[right]}`;
    const id = ids.get(product);
    if (id === undefined) {
      throw new CheckpointError(`byte-level BPE: merge ${rank} makes "${product}", which the vocabulary does not have`);
    }
    pairs.set(left, right, rank, id);
  });
  return pairs;
}

function numKnownBytes(codePoint: number, byteIds: Int32Array): number {
  const width = utf8Width(codePoint);
  let count = 0;
  for (let i = 0; i < width; i++) if (byteIds[utf8Byte(codePoint, i, width)]! >= 0) count++;
  return count;
}
