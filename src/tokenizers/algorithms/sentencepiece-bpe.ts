/**
 * @file BPE as SentencePiece and llama2.c do it (Kudo and Richardson 2018, arXiv:1808.06226): characters are the symbols,
 * two neighbours merge when their joined text is a piece, the best-scored first, and unknown characters fall to bytes.
 */

import { CheckpointError } from "../../base/errors.js";
import type { TokenModel } from "../token-model.js";
import { ByteSpans } from "./byte-spans.js";
import type { IntList } from "./int-list.js";
import { PairTable } from "./pair-table.js";
import { codePointAt, utf8Byte, utf8Width, utf16Width } from "./utf8.js";
import { WordEncoder } from "./word-encoder.js";

/** One entry of the vocabulary, by id. */
export interface Piece {
  /** Its text, with plain spaces for SentencePiece's `▁`. */
  readonly text: string;
  readonly score: number;
  /** `byte`: stands for the byte `<0xHH>` of a character without a piece. `control`: never comes of a text. */
  readonly kind: "normal" | "byte" | "control";
}

export class SentencePieceBpe implements TokenModel {
  readonly #pieces: readonly Piece[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #bytes: readonly Uint8Array[];
  readonly #byteIds: Int32Array;
  readonly #words: WordEncoder;

  /** @throws CheckpointError when there is no piece for some byte, so that not every text can be encoded. */
  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
    this.#ids = new Map(pieces.flatMap(({ text, kind }, id) => (kind === "normal" ? [[text, id] as const] : [])));
    this.#byteIds = byteIds(pieces);
    this.#bytes = pieces.map(bytesOf);
    const split = (text: string, start: number, end: number, symbols: Int32Array): number =>
      this.#split(text, start, end, symbols);
    this.#words = new WordEncoder(split, pairTable(pieces, this.#ids));
  }

  get vocabSize(): number {
    return this.#pieces.length;
  }

  /** Whether a token can begin in one word and end in another; if not, each word can be encoded for itself. */
  get joinsWords(): boolean {
    return this.#pieces.some(({ text, kind }) => kind === "normal" && /[^ ] /.test(text));
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
    const spans = new ByteSpans(text, start, end, utf8Width);
    for (let i = first; i < ids.length; i++) spans.push(this.#bytes[ids.at(i)]!.length, offsets);
  }

  bytes(id: number): Uint8Array | undefined {
    return this.#bytes[id];
  }

  tokenId(token: string): number | undefined {
    const id = this.#ids.get(token) ?? this.#pieces.findIndex(({ text }) => text === token);
    return id < 0 ? undefined : id;
  }

  token(id: number): string | undefined {
    return this.#pieces[id]?.text;
  }

  #split(text: string, start: number, end: number, symbols: Int32Array): number {
    let count = 0;
    for (let i = start; i < end; ) {
      const codePoint = codePointAt(text, i, end);
      const id = this.#ids.get(String.fromCodePoint(codePoint));
      const width = utf8Width(codePoint);
      if (id !== undefined) symbols[count++] = id;
      else for (let k = 0; k < width; k++) symbols[count++] = this.#byteIds[utf8Byte(codePoint, k, width)]!;
      i += utf16Width(codePoint);
    }
    return count;
  }
}

/** The byte that `<0xHH>` names. */
function byteOf({ text }: Piece): number {
  return Number.parseInt(text.slice(3, 5), 16);
}

function bytesOf(piece: Piece): Uint8Array {
  return piece.kind === "byte" ? Uint8Array.of(byteOf(piece)) : new TextEncoder().encode(piece.text);
}

function byteIds(pieces: readonly Piece[]): Int32Array {
  const ids = new Int32Array(256).fill(-1);
  pieces.forEach((piece, id) => {
    if (piece.kind === "byte") ids[byteOf(piece)] = id;
  });
  const missing = ids.indexOf(-1);
  if (missing >= 0) throw new CheckpointError(`SentencePiece BPE: the vocabulary has no piece for byte ${missing}`);
  return ids;
}

/** All ways to join two pieces to a third. Equal scores have equal rank: then the leftmost pair merges first. */
function pairTable(pieces: readonly Piece[], ids: ReadonlyMap<string, number>): PairTable {
  const scores = [...new Set(pieces.map(({ score }) => score))].sort((a, b) => b - a);
  const ranks = new Map(scores.map((score, rank) => [score, rank]));
  const pairs = new PairTable(pieces.length * 2);
  for (const [text, id] of ids) {
    const rank = ranks.get(pieces[id]!.score)!;
    for (let i = 1; i < text.length; i++) {
      const left = ids.get(text.slice(0, i));
      const right = left === undefined ? undefined : ids.get(text.slice(i));
      if (left !== undefined && right !== undefined) pairs.set(left, right, rank, id);
    }
  }
  return pairs;
}
