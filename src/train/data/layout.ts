/** @file Pieces of documents written into rows of one length, as programs read them. */

import type { PackedDataset, TokenDocument } from "./packing.js";

/** A document, or a part of one that stands in a row of its own. */
export interface Piece extends TokenDocument {
  /** Index of the document among those that are packed. */
  readonly document: number;
}

/** Positions that a document of so many ids takes: each predicts the next id. */
export const positionsOf = ({ ids }: TokenDocument): number => ids.length - 1;

/**
 * The parts of a document that fit a row: one, or several of which each begins with the token that the last one ended with, so
 * that every token is predicted once.
 */
export function piecesOf({ ids, targets }: TokenDocument, document: number, time: number): Piece[] {
  const pieces: Piece[] = [];
  for (let start = 0; start + 1 < ids.length; start += time) {
    const end = start + time + 1;
    pieces.push({ document, ids: ids.subarray(start, end), ...(targets && { targets: targets.subarray(start, end) }) });
  }
  return pieces;
}

/** Writes rows, each of pieces that fit it. Segments are the pieces' documents; positions start anew in each piece. */
export function layRows(rows: readonly (readonly Piece[])[], time: number): PackedDataset {
  const size = rows.length * time;
  const [ids, labels, positions] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
  const segments = new Int32Array(size).fill(-1);
  const weights = new Float32Array(size);
  let numTokens = 0;
  for (const [row, pieces] of rows.entries()) {
    let at = row * time;
    for (const piece of pieces) {
      for (let i = 0; i + 1 < piece.ids.length; i++, at++) {
        const weight = piece.targets?.[i + 1] ?? 1;
        ids[at] = piece.ids[i]!;
        labels[at] = piece.ids[i + 1]!;
        weights[at] = weight;
        positions[at] = i;
        segments[at] = piece.document;
        numTokens += weight;
      }
    }
  }
  return { time, numRows: rows.length, numTokens, ids, labels, weights, positions, segments };
}
