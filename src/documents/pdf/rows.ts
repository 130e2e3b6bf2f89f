/** @file Lines with wide gaps: rows of a table, or columns that the page draws side by side. */
import { type Line, textOfLine } from "./lines.js";

export type Unit =
  | { readonly kind: "line"; readonly line: Line }
  | { readonly kind: "table"; readonly lines: readonly Line[] };

/** Segments this long, in characters on the average, are a text in columns rather than cells. */
const COLUMN_LENGTH = 30;

/** Lines in reading order, those that are rows of one table together. */
export function unitsOf(lines: readonly Line[]): Unit[] {
  const units: Unit[] = [];
  for (let from = 0; from < lines.length; ) {
    let to = from + 1;
    while (to < lines.length && isRowBelow(lines[to - 1]!, lines[to]!)) to++;
    const run = lines.slice(from, to);
    if (run.length === 1) units.push({ kind: "line", line: run[0]! });
    else if (isText(run)) units.push(...byColumn(run).map((line) => ({ kind: "line" as const, line })));
    else units.push({ kind: "table", lines: run });
    from = to;
  }
  return units;
}

/** Whether both lines have the same number of segments, at least two, each below the other's. */
function isRowBelow(above: Line, below: Line): boolean {
  const { segments } = above;
  if (segments.length < 2 || segments.length !== below.segments.length || below.base >= above.base) return false;
  if (above.base - below.base > 4 * above.style.size || above.style.angle !== below.style.angle) return false;
  return segments.every((segment, i) => {
    const other = below.segments[i]!;
    return segment.left < other.right && other.left < segment.right;
  });
}

function isText(run: readonly Line[]): boolean {
  const numSegments = run.length * run[0]!.segments.length;
  return run.reduce((sum, line) => sum + textOfLine(line).length, 0) / numSegments >= COLUMN_LENGTH;
}

function byColumn(run: readonly Line[]): Line[] {
  return run[0]!.segments.flatMap((_, i) =>
    run.map((line) => {
      const segment = line.segments[i]!;
      return { ...line, segments: [segment], left: segment.left, right: segment.right };
    }),
  );
}
