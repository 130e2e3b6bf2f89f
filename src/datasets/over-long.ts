/** @file What becomes of examples that are longer than a row of training: never cut without a word. */

import { assert, ConfigError } from "../base/errors.js";
import type { TargetTokens } from "./render/token-targets.js";

/**
 * - `error`: they are faults.
 * - `drop`: they are left out.
 * - `keep-start`, `keep-end`: the other side is cut off.
 * - `split`: they become several documents, in which each token is learned once; parts with nothing to learn are left out.
 */
export const overLongPolicies = ["error", "drop", "keep-start", "keep-end", "split"] as const;

export type OverLong = (typeof overLongPolicies)[number];

/** @throws ConfigError when it is no policy. */
export function checkOverLong(policy: OverLong): OverLong {
  if (overLongPolicies.includes(policy)) return policy;
  throw new ConfigError(`overLong must be one of ${overLongPolicies.join(", ")}, not ${String(policy)}`);
}

/** The documents that an over-long one becomes. A row of `maxTokens - 1` positions holds a document of `maxTokens`. */
export function fitted(
  { ids, targets }: TargetTokens,
  maxTokens: number,
  policy: Exclude<OverLong, "error">,
): TargetTokens[] {
  const slice = (start: number, end: number): TargetTokens => ({
    ids: ids.slice(start, end),
    targets: targets.slice(start, end),
  });
  if (policy === "drop") return [];
  if (policy === "keep-start") return [slice(0, maxTokens)];
  if (policy === "keep-end") return [slice(ids.length - maxTokens, ids.length)];
  assert(policy === "split", `a policy that is checked, not ${policy}`);
  const pieces: TargetTokens[] = [];
  // the last token of a piece is the first of the next, where it is read to predict what follows
  for (let start = 0; start + 1 < ids.length; start += maxTokens - 1) pieces.push(slice(start, start + maxTokens));
  return pieces;
}
