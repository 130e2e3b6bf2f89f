/** @file Random filters and metadata with few fields and values, so that they often meet; for tests of filters and stores. */
import type { Rng } from "../../src/base/rng.js";
import type { Comparison, Filter, Metadata, MetadataValue } from "../../src/retrieval/filter.js";

const fields = ["lang", "year", "open", "label"] as const;
const values: readonly MetadataValue[] = [
  "",
  "en",
  "zh",
  "e\u0301",
  "\uffee",
  "\u{1f600}",
  "2",
  2,
  -1,
  0,
  0.1,
  1e21,
  true,
  false,
];

const pick = <T>(rng: Rng, from: readonly T[]): T => from[rng.below(from.length)]!;

/** A field in two of three cases. */
export function randomMetadata(rng: Rng): Metadata {
  return Object.fromEntries(fields.filter(() => rng.below(3) > 0).map((field) => [field, pick(rng, values)]));
}

/** Up to three levels of `$and`, `$or` and `$not`. */
export function randomFilter(rng: Rng, depth = 3): Filter {
  const kind = rng.below(depth > 0 ? 6 : 3);
  const part = (): Filter => randomFilter(rng, depth - 1);
  if (kind === 3) return { $and: [part(), part()] };
  if (kind === 4) return { $or: [part(), part()] };
  if (kind === 5) return { $not: part() };
  if (kind === 0) return { [pick(rng, fields)]: pick(rng, values) };
  return { [pick(rng, fields)]: randomComparison(rng) };
}

function randomComparison(rng: Rng): Comparison {
  const ordered = values.filter((value) => typeof value !== "boolean");
  const one = (): Comparison => {
    const operator = pick(rng, ["$in", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    if (operator === "$in") return { $in: [pick(rng, values), pick(rng, values)] };
    return operator === "$ne" ? { $ne: pick(rng, values) } : { [operator]: pick(rng, ordered) };
  };
  return rng.below(3) === 0 ? { ...one(), ...one() } : one();
}
