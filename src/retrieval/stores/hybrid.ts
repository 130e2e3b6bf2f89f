/** @file The lists of one query to the hits of an index: one list as it is, two fused by ranks. */
import { reciprocalRankFusion } from "../fuse.js";
import type { Scored } from "../top-k.js";
import type { Query, RankedKey } from "./store.js";

/** How deep both lists are searched before they are fused: a chunk that is middling in both can beat one that is first in one. */
const fusionDepth = 50;

/** How many entries of each list a query needs. */
export function searchDepth({ text, vector, limit }: Query): number {
  return text !== undefined && vector !== undefined ? Math.max(limit, fusionDepth) : limit;
}

/** @param lists best first; undefined where the query does not ask for it. */
export function combineLists(
  { text, vector }: { readonly text: readonly Scored[] | undefined; readonly vector: readonly Scored[] | undefined },
  limit: number,
): RankedKey[] {
  if (text === undefined || vector === undefined) {
    const [kind, list] = text === undefined ? (["vector", vector ?? []] as const) : (["text", text] as const);
    return list.slice(0, limit).map(({ key, score }, i) => ({ key, score, ranks: { [kind]: i + 1 } }));
  }
  const keys = (list: readonly Scored[]): number[] => list.map(({ key }) => key);
  const fused = reciprocalRankFusion([keys(text), keys(vector)]);
  return fused.slice(0, limit).map(({ key, score, ranks: [textRank, vectorRank] }) => ({
    key,
    score,
    ranks: {
      ...(textRank !== undefined && { text: textRank }),
      ...(vectorRank !== undefined && { vector: vectorRank }),
    },
  }));
}
