/** @file Pairs in two, and in batches in which no text is another's false negative. */

import { createHash } from "node:crypto";
import { ConfigError, DataError } from "../../base/errors.js";
import { deriveSeed, Rng } from "../../base/rng.js";
import type { TextPair } from "./read-pairs.js";

/**
 * Holds out passages with all their queries, chosen by a hash of seed and passage: no passage is on both sides, whatever the
 * order of the rows.
 * @throws ConfigError when the share is out of range; DataError when there are not two passages.
 */
export function splitPairs(
  pairs: readonly TextPair[],
  { share, seed }: { readonly share: number; readonly seed: number },
): { readonly train: readonly TextPair[]; readonly heldOut: readonly TextPair[] } {
  if (!(share >= 0 && share < 1))
    throw new ConfigError(`the share that is held out must be from 0 to below 1, not ${share}`);
  if (share === 0) return { train: pairs, heldOut: [] };
  const passages = [...new Set(pairs.map(({ positive }) => positive))];
  if (passages.length < 2)
    throw new DataError("holding out pairs: all have the same passage; give more, or hold out 0");
  const keyOf = (passage: string): string => createHash("sha256").update(`${seed}\n${passage}`).digest("hex");
  const keys = new Map(passages.map((passage) => [passage, keyOf(passage)]));
  passages.sort((a, b) => (keys.get(a)! < keys.get(b)! ? -1 : 1));
  const count = Math.min(passages.length - 1, Math.max(1, Math.round(share * passages.length)));
  const chosen = new Set(passages.slice(0, count));
  return {
    train: pairs.filter(({ positive }) => !chosen.has(positive)),
    heldOut: pairs.filter(({ positive }) => chosen.has(positive)),
  };
}

/**
 * The places of an epoch's pairs in batches, shuffled. No query and no passage is twice in a batch, where it would be a
 * negative of itself; what finds no batch at the end of an epoch waits for the next.
 * @throws DataError when not one batch can be made.
 */
export function pairBatches(pairs: readonly TextPair[], size: number, seed: number, epoch: number): number[][] {
  const order = new Rng(deriveSeed(seed, `pairs of epoch ${epoch}`)).shuffle([...pairs.keys()]);
  const open: { places: number[]; texts: Set<string> }[] = [];
  const full: number[][] = [];
  for (const place of order) {
    const { query, positive } = pairs[place]!;
    let batch = open.find(({ texts }) => !texts.has(query) && !texts.has(positive));
    if (!batch) {
      batch = { places: [], texts: new Set() };
      open.push(batch);
    }
    batch.places.push(place);
    batch.texts.add(query).add(positive);
    if (batch.places.length < size) continue;
    full.push(batch.places);
    open.splice(open.indexOf(batch), 1);
  }
  if (full.length > 0) return full;
  throw new DataError(
    `batches of ${size} pairs: at most ${open[0]?.places.length ?? 0} of the ${pairs.length} pairs have different queries and passages; give more, or a smaller batchSize`,
  );
}
