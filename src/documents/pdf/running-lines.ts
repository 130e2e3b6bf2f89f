/** @file Running heads, feet and page numbers: what stands on most pages at the same place. */
import { type Line, most, textOfLine } from "./lines.js";

/** Fewer pages than this cannot tell a running head from a text that repeats itself. */
const LEAST_PAGES = 3;
/** Only so many lines from the top and the bottom of a page are looked at. */
const EDGE_LINES = 3;

/**
 * Pages without the lines at their edges that recur: that stand on at least half of the pages at the same height, where
 * numbers may count the pages; or of which only the number that counts the pages recurs, as a chapter's name changes.
 * Lines in larger letters than the text stay. Left in, they would cut sentences in two and be found by every search.
 */
export function withoutRunningLines(pages: readonly (readonly Line[])[]): Line[][] {
  const textSize = most(
    pages.flat(),
    ({ style }) => Math.round(style.size),
    (line) => textOfLine(line).length,
  );
  const edges = pages.map((lines, page) =>
    edgeLines(lines)
      .filter(({ style }) => Math.round(style.size) <= textSize)
      .map((line) => ({ line, ...keysOf(line, page) })),
  );
  const counts = new Map<string, number>();
  for (const lines of edges) {
    for (const key of new Set(lines.flatMap(({ counted }) => counted))) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const least = Math.max(LEAST_PAGES, pages.length / 2);
  const isRunning = (key: string): boolean => (counts.get(key) ?? 0) >= least;
  return pages.map((lines, i) => {
    const running = new Set(edges[i]!.filter(({ deciding }) => deciding.some(isRunning)).map(({ line }) => line));
    return lines.filter((line) => !running.has(line));
  });
}

function edgeLines(lines: readonly Line[]): Line[] {
  const byHeight = [...lines].sort((a, b) => b.base - a.base);
  return [...new Set([...byHeight.slice(0, EDGE_LINES), ...byHeight.slice(-EDGE_LINES)])];
}

/** What may recur of a line, and which of that decides about the line. */
interface Keys {
  readonly counted: readonly string[];
  readonly deciding: readonly string[];
}

function keysOf(line: Line, page: number): Keys {
  const height = Math.round(line.base);
  const text = textOfLine(line);
  const own = textKeys(text, page).map((key) => `${height} ${key}`);
  const number = /^\d{1,6}(?=\s|$)|(?<=\s)\d{1,6}$/.exec(text)?.[0];
  if (number === undefined) return { counted: own, deciding: own };
  const folio = `folio ${Number(number) - page}`;
  const deciding = [...own, `${height} ${folio}`];
  // a number that stands alone is the page's wherever it stands, if the others count the same way
  return { counted: [...deciding, folio], deciding: number === text ? [...deciding, folio] : deciding };
}

/** The text with its first number and its last two as they are, or as their distance from the page's: all ways. */
function textKeys(text: string, page: number): string[] {
  const parts = text.split(/(\d{1,6})/);
  const mayCount = new Set([1, parts.length - 4, parts.length - 2]);
  let keys = [""];
  for (const [i, part] of parts.entries()) {
    const isNumber = i % 2 === 1 && mayCount.has(i);
    keys = keys.flatMap((key) => (isNumber ? [key + part, `${key}page ${Number(part) - page}`] : [key + part]));
  }
  return keys;
}
