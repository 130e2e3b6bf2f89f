/** @file The order in which a page is read, where the order in which it is drawn cannot be that. */
import type { Line } from "./lines.js";

/** Width of the white space between columns, in heights of the font. */
const GUTTER = 0.8;

/**
 * Lines as they are drawn, which keeps columns apart in most files; but if a line is drawn after one that stands below it
 * in the same column, the page is cut along its white space instead: columns from left to right, what is above before
 * what is below (XY cut; Nagy and Seth 1984).
 */
export function inReadingOrder(lines: readonly Line[]): Line[] {
  const goesBack = lines.some((line, i) => i > 0 && isAbove(line, lines[i - 1]!) && overlaps(line, lines[i - 1]!));
  return goesBack ? cut(lines) : [...lines];
}

function isAbove(line: Line, other: Line): boolean {
  return line.style.angle === other.style.angle && line.base - other.base > line.style.size;
}

function overlaps(a: Line, b: Line): boolean {
  return a.left < b.right && b.left < a.right;
}

function cut(lines: readonly Line[]): Line[] {
  if (lines.length < 2) return [...lines];
  const parts = columnsOf(lines) ?? bandsOf(lines);
  if (parts === undefined) return [...lines].sort((a, b) => b.base - a.base || a.left - b.left);
  return parts.flatMap(cut);
}

/** Lines left and right of the widest white space from top to bottom; undefined where there is none. */
function columnsOf(lines: readonly Line[]): [Line[], Line[]] | undefined {
  const byLeft = [...lines].sort((a, b) => a.left - b.left);
  const at = widestGap(
    byLeft,
    ({ left }) => left,
    ({ right }) => right,
    GUTTER * byLeft[0]!.style.size,
  );
  if (at === undefined) return undefined;
  const parts: [Line[], Line[]] = [byLeft.slice(0, at), byLeft.slice(at)];
  // a number in the margin is no column: it belongs to the line beside it
  return parts.every(({ length }) => length > 1) ? parts : undefined;
}

/** Lines above and below the widest white space from left to right; undefined where lines stand side by side throughout. */
function bandsOf(lines: readonly Line[]): [Line[], Line[]] | undefined {
  const fromTop = [...lines].sort((a, b) => b.base - a.base);
  const at = widestGap(
    fromTop,
    ({ base, style }) => -base - style.size,
    ({ base }) => -base,
    Number.NEGATIVE_INFINITY,
  );
  return at === undefined ? undefined : [fromTop.slice(0, at), fromTop.slice(at)];
}

/** Index of the line after the widest gap between what comes before and what follows, if it is wider than `least`. */
function widestGap(
  lines: readonly Line[],
  startOf: (line: Line) => number,
  endOf: (line: Line) => number,
  least: number,
): number | undefined {
  let widest = least;
  let at: number | undefined;
  let end = endOf(lines[0]!);
  for (let i = 1; i < lines.length; i++) {
    const gap = startOf(lines[i]!) - end;
    if (gap > widest) [widest, at] = [gap, i];
    end = Math.max(end, endOf(lines[i]!));
  }
  return at;
}
