/** @file One document in each row, with padding behind it. */

import { DataError } from "../../base/errors.js";
import { layRows, positionsOf } from "./layout.js";
import type { PackedDataset, TokenDocument } from "./packing.js";

/**
 * Rows of one document each; what is left of a row has weight 0.
 * @throws DataError when a document is longer than a row, or none has two tokens.
 */
export function padDocuments(documents: Iterable<TokenDocument>, time: number): PackedDataset {
  const pieces = [...documents]
    .map((document, i) => ({ ...document, document: i }))
    .filter(({ ids }) => ids.length >= 2);
  if (pieces.length === 0) throw new DataError("nothing to train on: every document has fewer than two tokens");
  const long = pieces.find((piece) => positionsOf(piece) > time);
  if (long) {
    throw new DataError(
      `padDocuments: document ${long.document} has ${long.ids.length} tokens, a row of ${time} positions holds ${time + 1}; ` +
        "cut or drop long documents before, or pack them",
    );
  }
  return layRows(
    pieces.map((piece) => [piece]),
    time,
  );
}
