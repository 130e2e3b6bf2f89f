/** @file The ways to put documents into rows, and how well they fill them. */

import { packBestFit } from "./best-fit.js";
import { type PackedDataset, packDocuments, type TokenDocument } from "./packing.js";
import { padDocuments } from "./padded.js";

export type Packer = (documents: Iterable<TokenDocument>, time: number) => PackedDataset;

/** By name. `end-to-end` wastes no position and cuts documents at the ends of rows; `best-fit` cuts none that fits a row. */
export const packers = {
  "end-to-end": packDocuments,
  "best-fit": packBestFit,
  padded: padDocuments,
} as const satisfies Record<string, Packer>;

export type PackerName = keyof typeof packers;

export interface PackingReport {
  readonly numRows: number;
  /** Positions with a token over all positions, from 0 to 1. */
  readonly utilisation: number;
  readonly numDocuments: number;
  /** Documents with parts in more than one row, which do not see each other. */
  readonly numCut: number;
}

/** What packing has made of documents. */
export function describePacking({ time, numRows, segments }: PackedDataset): PackingReport {
  const rowOf = new Map<number, number>();
  const cut = new Set<number>();
  let used = 0;
  for (const [at, document] of segments.entries()) {
    if (document < 0) continue;
    used++;
    const row = Math.floor(at / time);
    if ((rowOf.get(document) ?? row) !== row) cut.add(document);
    rowOf.set(document, row);
  }
  return { numRows, utilisation: used / segments.length, numDocuments: rowOf.size, numCut: cut.size };
}
