/** @file Examples in two: to learn from, and held out. */

import { createHash } from "node:crypto";
import { ConfigError, DataError } from "../base/errors.js";
import type { Example } from "./example.js";
import { exampleOf } from "./row-parser.js";

export interface SplitOptions {
  /** Share of the different examples that is held out, from 0 to below 1. Default 0.1. */
  readonly share?: number;
  readonly seed: number;
}

export interface SplitExamples {
  readonly train: readonly Example[];
  readonly heldOut: readonly Example[];
}

/**
 * Holds out whole examples, chosen by a hash of the seed and their content: the same whatever the order of the data, and exact
 * duplicates fall on one side. At least one example is on each side; a single text gives up its end.
 * @throws ConfigError when the share is out of range.
 * @throws DataError when there is only one example, which is no text.
 */
export function splitExamples(examples: readonly Example[], { share = 0.1, seed }: SplitOptions): SplitExamples {
  if (!(share >= 0 && share < 1))
    throw new ConfigError(`the share that is held out must be from 0 to below 1, not ${share}`);
  if (share === 0 || examples.length === 0) return { train: examples, heldOut: [] };
  const hashes = [...new Set(examples.map(({ hash }) => hash))];
  if (hashes.length === 1) return splitText(examples, share);
  const keys = new Map(hashes.map((hash) => [hash, sha256([String(seed), hash])]));
  const order = hashes.sort((a, b) => (keys.get(a)! < keys.get(b)! ? -1 : 1));
  const count = Math.min(hashes.length - 1, Math.max(1, Math.round(share * hashes.length)));
  const chosen = new Set(order.slice(0, count));
  return {
    train: examples.filter(({ hash }) => !chosen.has(hash)),
    heldOut: examples.filter(({ hash }) => chosen.has(hash)),
  };
}

/** Leaves out of the training examples what is held out too, with their number. */
export function withoutHeldOut(
  train: readonly Example[],
  heldOut: readonly Example[],
): { readonly train: readonly Example[]; readonly numRemoved: number } {
  const hashes = new Set(heldOut.map(({ hash }) => hash));
  const kept = train.filter(({ hash }) => !hashes.has(hash));
  return { train: kept, numRemoved: train.length - kept.length };
}

/** SHA-256 over the examples in their order, for the manifest of a run. */
export const hashExamples = (examples: readonly Example[]): string => sha256(examples.map(({ hash }) => hash));

function splitText(examples: readonly Example[], share: number): SplitExamples {
  const { body, place } = examples[0]!;
  if (body.kind !== "text") {
    throw new DataError(
      "holding out examples: there is only one, or all are equal; pass share 0, or a file to hold out",
    );
  }
  const { text } = body;
  const cut =
    text.lastIndexOf("\n", Math.floor(text.length * (1 - share))) + 1 || Math.floor(text.length * (1 - share));
  const side = (part: string): Example[] => (part === "" ? [] : [exampleOf({ kind: "text", text: part }, place)]);
  return { train: side(text.slice(0, cut)), heldOut: side(text.slice(cut)) };
}

function sha256(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\n");
  return hash.digest("hex");
}
