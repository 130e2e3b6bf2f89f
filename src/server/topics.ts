/** @file Headings to try a search with before one knows what the documents say. */

import type { StoredChunk } from "../retrieval/stores/store.js";

type Place = Pick<StoredChunk, "path" | "headingPath">;

/**
 * At most `count` headings, each of another document and of that document only, spread evenly over the documents in the
 * order given. A heading has two to seven words; titles of documents are taken only where there are too few others.
 */
export function pickTopics(chunks: Iterable<Place>, count = 6): string[] {
  const readable = [...chunks].filter(({ headingPath }) => isReadable(headingPath.at(-1) ?? ""));
  const sections = readable.filter(({ headingPath }) => headingPath.length > 1);
  const headings = firstOfEach(sections);
  return spread(headings.length >= count ? headings : firstOfEach([...sections, ...readable]), count);
}

/** The first heading of each document that no other document has. */
function firstOfEach(places: readonly Place[]): string[] {
  const paths = new Map<string, Set<string>>();
  for (const { path, headingPath } of places) {
    const heading = headingPath.at(-1)!;
    paths.set(heading, (paths.get(heading) ?? new Set()).add(path));
  }
  const first = new Map<string, string>();
  for (const { path, headingPath } of places) {
    const heading = headingPath.at(-1)!;
    if (!first.has(path) && paths.get(heading)?.size === 1) first.set(path, heading);
  }
  return [...first.values()];
}

/** Words, and no markup that was left in them. */
function isReadable(heading: string): boolean {
  const numWords = heading.trim().split(/\s+/).length;
  return numWords >= 2 && numWords <= 7 && /^[\p{L}\p{M}\p{N}\s,.:;'’?!&/()@-]+$/u.test(heading);
}

/** `count` items at even distances. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}
