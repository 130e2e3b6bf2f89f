/** @file Packing for models with virtual tokens: every document, and every part of one, begins with placeholders. */

import { ConfigError, DataError } from "../../base/errors.js";
import { layRows, type Piece, positionsOf } from "./layout.js";
import { type PackedDataset, packDocuments, type TokenDocument } from "./packing.js";

/**
 * Rows of `time` positions, documents end to end, each part of one after `numVirtualTokens` placeholders (id 0), whose last
 * predicts the part's first token unless that was learned at the end of the row before. A document's part ends with its row.
 * @throws ConfigError when a row has no place for text after the placeholders; DataError when no document has two tokens.
 */
export function packWithVirtualTokens(
  documents: Iterable<TokenDocument>,
  time: number,
  numVirtualTokens: number,
): PackedDataset {
  if (numVirtualTokens === 0) return packDocuments(documents, time);
  if (time <= numVirtualTokens) {
    throw new ConfigError(
      `rows of ${time} positions have no place for text after ${numVirtualTokens} virtual tokens; give longer rows or fewer virtual tokens`,
    );
  }
  const rows: Piece[][] = [];
  let room = 0;
  for (const [document, { ids, targets }] of [...documents].entries()) {
    for (let start = 0; start + 1 < ids.length; ) {
      if (room <= numVirtualTokens) {
        rows.push([]);
        room = time;
      }
      // the last token of a part is predicted only, and begins the next part
      const end = Math.min(ids.length, start + room - numVirtualTokens + 1);
      const part = { ...partOf(ids, targets, [start, end], numVirtualTokens), document };
      rows.at(-1)!.push(part);
      room -= positionsOf(part);
      start = end - 1;
    }
  }
  if (rows.length === 0) throw new DataError("nothing to train on: every document has fewer than two tokens");
  return layRows(rows, time);
}

function partOf(
  ids: Int32Array,
  targets: Uint8Array | undefined,
  [start, end]: readonly [number, number],
  numVirtualTokens: number,
): TokenDocument {
  const part = {
    ids: new Int32Array(numVirtualTokens + end - start),
    targets: new Uint8Array(numVirtualTokens + end - start),
  };
  part.ids.set(ids.subarray(start, end), numVirtualTokens);
  for (let i = start; i < end; i++) part.targets[numVirtualTokens + i - start] = targets?.[i] ?? 1;
  if (start > 0) part.targets[numVirtualTokens] = 0;
  return part;
}
