/** @file Retrieved passages as one text under a budget of tokens, every character of which has its place in a source. */
import { ConfigError, DataError } from "../base/errors.js";
import type { Span, TokenCounter } from "../chunk/chunk.js";
import type { StoredChunk } from "./stores/store.js";
import { takeFitting } from "./take-fitting.js";

/** What is packed: a hit of a search, best first. */
export interface ScoredChunk {
  readonly chunk: StoredChunk;
  readonly score: number;
}

/** In what order spans stand in the packed text; see `packOrders`. */
export type PackOrder = keyof typeof packOrders;

export interface PackOptions {
  /** Most tokens of the packed text, labels included. */
  readonly budget: number;
  readonly counter: TokenCounter;
  /** Default best-first. */
  readonly order?: PackOrder;
  /**
   * The text of a document, exactly as it was chunked. With it passages are widened to their parents where those fit, and
   * are joined across white space; without it only where their texts touch or overlap.
   */
  readonly source?: (path: string) => string | undefined | Promise<string | undefined>;
  /** What stands before a span. Default `[1] path, page 3: heading › heading` and a line break. */
  readonly label?: (span: Omit<PackedSpan, "at">) => string;
}

/** A stretch of one document. `text` is that of the document from `start` to `end`, and of the packing from `at.start` to `at.end`. */
export interface PackedSpan extends Span {
  /** From 1, in the order of the packed text: what an answer cites. */
  readonly number: number;
  readonly path: string;
  readonly documentHash: string;
  readonly text: string;
  /** Of the first chunk in it. */
  readonly headingPath: readonly string[];
  readonly page?: number;
  /** The best of its chunks. */
  readonly score: number;
  /** Chunks that it holds, best first. */
  readonly chunkIds: readonly string[];
  readonly at: Span;
}

export interface PackedContext {
  readonly text: string;
  /** Of `text`; never more than the budget. */
  readonly numTokens: number;
  /** In the order of the text; no two of one document overlap or touch. */
  readonly spans: readonly PackedSpan[];
  /** Ids of chunks that did not fit, best first. */
  readonly omitted: readonly string[];
}

type Arrange = <T extends Pick<PackedSpan, "path" | "start">>(ranked: readonly T[]) => T[];

/** From spans, the best first, to the order in which they stand. */
export const packOrders: Readonly<Record<"best-first" | "edges" | "document", Arrange>> = {
  "best-first": (ranked) => [...ranked],
  /**
   * The best at the edges, the worst in the middle, where models overlook most (Liu et al. 2023, "Lost in the middle",
   * arXiv:2307.03172).
   */
  edges: (ranked) => [...ranked.filter((_, i) => i % 2 === 0), ...ranked.filter((_, i) => i % 2 === 1).reverse()],
  /** As in the documents, of which the one with the best passage comes first. */
  document: (ranked) => {
    const paths = [...new Set(ranked.map(({ path }) => path))];
    return [...ranked].sort((a, b) => paths.indexOf(a.path) - paths.indexOf(b.path) || a.start - b.start);
  },
};

/**
 * Packs passages, the best first, as many as the budget allows; one that does not fit is left out and named. Chunks of one
 * document that overlap or are neighbours become one span, so that nothing is said twice.
 * @throws ConfigError when the budget is no whole number from 1; DataError when a document is no longer what was indexed.
 */
export async function packContext(passages: readonly ScoredChunk[], options: PackOptions): Promise<PackedContext> {
  const { budget, counter, order = "best-first", label = defaultLabel } = options;
  if (!Number.isSafeInteger(budget) || budget < 1) {
    throw new ConfigError(`packing: the budget must be a whole number of tokens from 1, got ${budget}`);
  }
  const sources = await readSources(passages, options.source);
  const compose = (regions: readonly Region[]) => written(packOrders[order](joinRegions(regions, sources)), label);
  const seen = new Set<string>();
  const regions = passages
    .filter(({ chunk }) => !seen.has(chunk.id) && seen.add(chunk.id))
    .map((passage) => regionOf(passage, sources));
  const wide = takeFitting(regions, compose, counter, budget);
  // a passage may fit where its parent does not
  const again = [...wide.kept, ...wide.left.map((region) => region.chunkOnly ?? region)];
  const isNew = wide.left.some(({ chunkOnly }) => chunkOnly !== undefined);
  const { composed, numTokens, left } = isNew ? takeFitting(again, compose, counter, budget) : wide;
  return { ...composed, numTokens, omitted: left.flatMap(({ chunkIds }) => chunkIds) };
}

type Region = Omit<PackedSpan, "at" | "number"> & { readonly chunkOnly?: Region };

const defaultLabel: NonNullable<PackOptions["label"]> = ({ number, path, page, headingPath }) => {
  const place = page === undefined ? path : `${path}, page ${page}`;
  return `[${number}] ${headingPath.length === 0 ? place : `${place}: ${headingPath.join(" › ")}`}\n`;
};

/** Between spans. */
const separator = "\n\n";

function written(
  regions: readonly Region[],
  label: NonNullable<PackOptions["label"]>,
): Pick<PackedContext, "text" | "spans"> {
  const spans: PackedSpan[] = [];
  let text = "";
  for (const [i, { chunkOnly: _, ...region }] of regions.entries()) {
    const span = { ...region, number: i + 1 };
    text += `${i === 0 ? "" : separator}${label(span)}`;
    spans.push({ ...span, at: { start: text.length, end: text.length + span.text.length } });
    text += span.text;
  }
  return { text, spans };
}

function regionOf({ chunk, score }: ScoredChunk, sources: ReadonlyMap<string, string>): Region {
  const { id, path, documentHash, start, end, text, headingPath, page, parent } = chunk;
  const of = { path, documentHash, headingPath, score, chunkIds: [id], ...(page !== undefined && { page }) };
  const source = sources.get(path);
  if (source !== undefined && source.slice(start, end) !== text) {
    throw new DataError(`packing: ${path} is no longer what was indexed; index it again`);
  }
  const only: Region = { ...of, start, end, text };
  if (parent === undefined || source === undefined) return only;
  return { ...of, ...parent, text: source.slice(parent.start, parent.end), chunkOnly: only };
}

/** Regions of one document that overlap, touch or have only white space between them become one; in the order of their best. */
function joinRegions(regions: readonly Region[], sources: ReadonlyMap<string, string>): Region[] {
  const rank = new Map(regions.map(({ chunkIds }, i) => [chunkIds[0]!, i]));
  const inPlace = [...regions].sort((a, b) => compareText(a.path, b.path) || a.start - b.start || b.end - a.end);
  const joined: Region[] = [];
  for (const region of inPlace) {
    const before = joined.at(-1);
    const both = before && join(before, region, sources);
    if (both) joined[joined.length - 1] = both;
    else joined.push(region);
  }
  const byRank = (a: string, b: string): number => rank.get(a)! - rank.get(b)!;
  return joined
    .map((region) => ({ ...region, chunkIds: [...region.chunkIds].sort(byRank) }))
    .sort((a, b) => byRank(a.chunkIds[0]!, b.chunkIds[0]!));
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** @param a of the same document starts before `b`, or with it and ends no earlier. */
function join(a: Region, b: Region, sources: ReadonlyMap<string, string>): Region | undefined {
  if (a.path !== b.path || a.documentHash !== b.documentHash) return undefined;
  const between = b.start > a.end ? sources.get(a.path)?.slice(a.end, b.start) : "";
  if (between === undefined || between.trim() !== "") return undefined;
  const { chunkOnly: _, ...first } = a;
  return {
    ...first,
    end: Math.max(a.end, b.end),
    text: a.text + between + b.text.slice(Math.max(0, a.end - b.start)),
    score: Math.max(a.score, b.score),
    chunkIds: [...a.chunkIds, ...b.chunkIds],
  };
}

async function readSources(
  passages: readonly ScoredChunk[],
  source: PackOptions["source"],
): Promise<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>();
  if (source === undefined) return sources;
  for (const path of new Set(passages.map(({ chunk }) => chunk.path))) {
    const text = await source(path);
    if (text === undefined) throw new DataError(`packing: ${path} is indexed, but there is no such document any more`);
    sources.set(path, text);
  }
  return sources;
}
