/** @file Running heads, feet and page numbers: what stands on most pages at the same place. */
import { type Line, textOfLine } from "./lines.js";

/** Fewer pages than this cannot tell a running head from a text that repeats itself. */
const LEAST_PAGES = 3;
/** Only so many lines from the top and the bottom of a page are looked at. */
const EDGE_LINES = 3;

/**
 * Pages without the lines at their edges that stand on at least half of the pages at the same height, where numbers may
 * count the pages. Left in, they would cut sentences in two and be found by every search.
 */
export function withoutRunningLines(pages: readonly (readonly Line[])[]): Line[][] {
  const edges = pages.map((lines, page) => edgeLines(lines).map((line) => ({ line, keys: keysOf(line, page) })));
  const counts = new Map<string, number>();
  for (const lines of edges) {
    for (const key of new Set(lines.flatMap(({ keys }) => keys))) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const least = Math.max(LEAST_PAGES, pages.length / 2);
  const isRunning = (key: string): boolean => (counts.get(key) ?? 0) >= least;
  return pages.map((lines, i) => {
    const running = new Set(edges[i]!.filter(({ keys }) => keys.some(isRunning)).map(({ line }) => line));
    return lines.filter((line) => !running.has(line));
  });
}

function edgeLines(lines: readonly Line[]): Line[] {
  const byHeight = [...lines].sort((a, b) => b.base - a.base);
  return [...new Set([...byHeight.slice(0, EDGE_LINES), ...byHeight.slice(-EDGE_LINES)])];
}

/** The line with its first number and its last two as they are, or as their distance from the page's: all ways. */
function keysOf(line: Line, page: number): string[] {
  const parts = textOfLine(line).split(/(\d{1,6})/);
  const mayCount = new Set([1, parts.length - 4, parts.length - 2]);
  let keys = [`${Math.round(line.base)} `];
  for (const [i, part] of parts.entries()) {
    const isNumber = i % 2 === 1 && mayCount.has(i);
    keys = keys.flatMap((key) => (isNumber ? [key + part, `${key}page ${Number(part) - page}`] : [key + part]));
  }
  return keys;
}
