/** @file Documents to a data set for tuning: pairs with their places, split by document, in files. */

import { join } from "node:path";
import type { Write } from "../../answer/index.js";
import { ConfigError, DataError } from "../../base/errors.js";
import { makeFolder, replaceFiles } from "../../checkpoint/atomic.js";
import { type Skip, scanFolder } from "../../documents/index.js";
import { sha256 } from "../corpus.js";
import { type Pair, type PairKind, type PairOptions, structuralPairs } from "./pairs.js";
import { writtenPairs } from "./written-pairs.js";

export interface DatasetOptions extends PairOptions {
  /** Folder of documents, or one document. */
  readonly folder: string;
  /** Where the files go. */
  readonly out: string;
  /** Share of the documents that are held out, from 0 to below 1. Default 0.1. */
  readonly heldOut?: number;
  readonly seed?: number;
  /** A model that writes questions too. Default: pairs from the structure of the documents alone. */
  readonly write?: Write;
  readonly onDocument?: (path: string) => void;
}

export interface DatasetReport {
  readonly documents: number;
  readonly skipped: readonly Skip[];
  readonly train: number;
  readonly heldOut: number;
  readonly heldOutDocuments: readonly string[];
  readonly kinds: Readonly<Partial<Record<PairKind, number>>>;
  /** Pairs whose instruction or answer another has already. */
  readonly repeated: number;
  /** Answers of a model that do not stand in their passage. */
  readonly refused: number;
}

interface Placed extends Pair {
  readonly path: string;
  /** Of the document. */
  readonly hash: string;
}

/**
 * Writes `train.jsonl` and `heldout.jsonl` (Alpaca's fields, as `tessera tune` reads them), and beside each the sources of
 * its rows in the same order: `{path, hash, start, end, kind}`. A document is on one side whole; a text that two documents share
 * is kept once, on the side that trains, so that nothing held out was learned.
 * @throws DataError when there is no document or no pair; ConfigError for a share out of range.
 */
export async function buildDataset(options: DatasetOptions): Promise<DatasetReport> {
  const { folder, out, heldOut = 0.1, seed = 1, write, onDocument = () => {} } = options;
  if (!(heldOut >= 0 && heldOut < 1))
    throw new ConfigError(`dataset: the share that is held out must be from 0 to below 1, got ${heldOut}`);
  const skipped: Skip[] = [];
  const byDocument = new Map<string, readonly Placed[]>();
  let refused = 0;
  for await (const entry of scanFolder(folder)) {
    if (entry.kind === "skip") skipped.push(entry);
    if (entry.kind !== "document") continue;
    onDocument(entry.path);
    const written = write && (await writtenPairs(entry, write, options));
    refused += written?.refused ?? 0;
    const { path, hash } = entry;
    const pairs = [...structuralPairs(entry, options), ...(written?.pairs ?? [])];
    byDocument.set(
      path,
      pairs.map((pair) => ({ ...pair, path, hash })),
    );
  }
  const held = heldOutOf([...byDocument.keys()], heldOut, seed);
  const seen = new Set<string>();
  const isNew = ({ instruction, output }: Pair): boolean => {
    const keys = [`i ${instruction}`, `o ${output}`];
    const isKnown = keys.some((key) => seen.has(key));
    for (const key of keys) seen.add(key);
    return !isKnown;
  };
  // first what trains: of what both sides say, it keeps its own
  const of = (side: boolean): Placed[] =>
    [...byDocument].flatMap(([path, pairs]) => (held.has(path) === side ? pairs.filter(isNew) : []));
  const [train, test] = [of(false), of(true)];
  const all = [...train, ...test];
  if (all.length === 0) {
    throw new DataError(
      `dataset: ${folder} gave no pairs: no section with a heading and at least a line, and no sentence that says what something is; let a model write questions (--model)`,
    );
  }
  await makeFolder(out);
  await replaceFiles([...filesOf(out, "train", train), ...filesOf(out, "heldout", test)]);
  const kinds: Partial<Record<PairKind, number>> = {};
  for (const { kind } of all) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const numPairs = [...byDocument.values()].reduce((sum, pairs) => sum + pairs.length, 0);
  return {
    documents: byDocument.size,
    skipped,
    train: train.length,
    heldOut: test.length,
    heldOutDocuments: [...held].sort(),
    kinds,
    repeated: numPairs - all.length,
    refused,
  };
}

/** Documents in the order of a hash of seed and path, the first share of them; of several at least one is left to train. */
function heldOutOf(paths: readonly string[], share: number, seed: number): Set<string> {
  const keys = new Map(paths.map((path) => [path, sha256(`${seed}`, path)]));
  const order = [...paths].sort((a, b) => (keys.get(a)! < keys.get(b)! ? -1 : 1));
  const wanted = share === 0 ? 0 : Math.max(1, Math.round(share * paths.length));
  return new Set(order.slice(0, Math.min(wanted, paths.length - 1)));
}

function filesOf(out: string, name: string, pairs: readonly Placed[]): [string, Iterable<Uint8Array>][] {
  const lines = (rows: readonly object[]): Uint8Array[] => [
    new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join("")),
  ];
  return [
    [join(out, `${name}.jsonl`), lines(pairs.map(({ instruction, output }) => ({ instruction, input: "", output })))],
    [
      join(out, `${name}.sources.jsonl`),
      lines(pairs.map(({ path, hash, start, end, kind }) => ({ path, hash, start, end, kind }))),
    ],
  ];
}
