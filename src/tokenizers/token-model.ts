/** @file What a tokenization algorithm offers to the pipeline: it turns one pretoken (a word) into ids. */

import type { IntList } from "./algorithms/int-list.js";

export interface TokenModel {
  /** One more than the largest id; there may be ids without a token. */
  readonly vocabSize: number;
  /** Number of tokens of the pretoken `text[start, end)`. */
  count(text: string, start: number, end: number): number;
  /** Appends the ids of the pretoken. */
  encode(text: string, start: number, end: number, ids: IntList): void;
  /** Appends the ids and, per id, start and end in `text`. */
  encodeWithOffsets(text: string, start: number, end: number, ids: IntList, offsets: IntList): void;
  tokenId(token: string): number | undefined;
  token(id: number): string | undefined;
}
