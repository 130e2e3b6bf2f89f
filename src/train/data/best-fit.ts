/** @file Documents packed into rows without cutting any that fits one. */

import { DataError } from "../../base/errors.js";
import { layRows, type Piece, piecesOf, positionsOf } from "./layout.js";
import type { PackedDataset, TokenDocument } from "./packing.js";

/**
 * Best-fit decreasing: from the longest document on, each goes into the fullest row that still has room for it. Only
 * documents longer than a row are cut, into parts of a row's length. Documents of one token have nothing to predict.
 * Source: Fewer Truncations Improve Language Modeling, Ding et al. 2024, arXiv:2404.10830, section 3.
 * @throws DataError when no document has two tokens.
 */
export function packBestFit(documents: Iterable<TokenDocument>, time: number): PackedDataset {
  const pieces = [...documents].flatMap((document, i) => piecesOf(document, i, time));
  if (pieces.length === 0) throw new DataError("nothing to train on: every document has fewer than two tokens");
  const rows: Piece[][] = [];
  const open = new OpenRows(time);
  for (const piece of pieces.sort((a, b) => positionsOf(b) - positionsOf(a))) {
    const length = positionsOf(piece);
    const { row, room } = open.take(length) ?? { row: rows.push([]) - 1, room: time };
    rows[row]!.push(piece);
    open.put(row, room - length);
  }
  return layRows(rows, time);
}

/** Rows by the room they have, of which the least that is enough is found in log(time) steps. */
class OpenRows {
  readonly #rows: number[][];
  readonly #leaves: number;
  /** A tree over rooms: whether any row below a node has it. */
  readonly #present: Uint8Array;

  constructor(time: number) {
    this.#rows = Array.from({ length: time + 1 }, () => []);
    this.#leaves = 2 ** Math.ceil(Math.log2(time + 1));
    this.#present = new Uint8Array(2 * this.#leaves);
  }

  put(row: number, room: number): void {
    this.#rows[room]!.push(row);
    this.#mark(room);
  }

  /** Takes out the row with the least room of at least `length`. */
  take(length: number): { readonly row: number; readonly room: number } | undefined {
    const room = this.#leastFrom(length);
    const row = room === undefined ? undefined : this.#rows[room]!.pop();
    if (room === undefined || row === undefined) return undefined;
    this.#mark(room);
    return { row, room };
  }

  #mark(room: number): void {
    let node = this.#leaves + room;
    this.#present[node] = this.#rows[room]!.length > 0 ? 1 : 0;
    for (node >>= 1; node > 0; node >>= 1) {
      this.#present[node] = this.#present[2 * node]! | this.#present[2 * node + 1]!;
    }
  }

  #leastFrom(room: number): number | undefined {
    let node = this.#leaves + room;
    // up until a right neighbour has some, then down to its leftmost
    while (this.#present[node] === 0) {
      while (node % 2 === 1) node >>= 1;
      if (node === 0) return undefined;
      node++;
    }
    while (node < this.#leaves) node = this.#present[2 * node] === 1 ? 2 * node : 2 * node + 1;
    return node - this.#leaves;
  }
}
