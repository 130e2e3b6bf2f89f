/** @file Lines in a font of one width as code: indentation and empty lines by where they stand. */
import type { Line } from "./lines.js";

/** Width of a character, in heights of the font, where a line is too short to tell. */
const USUAL_WIDTH = 0.6;
/** Distance, in heights of the font, that leaves room for an empty line. */
const EMPTY_LINE = 2;

export function codeOf(lines: readonly Line[]): string {
  const margin = Math.min(...lines.map(({ left }) => left));
  const written = lines.map((line, i) => {
    const above = lines[i - 1];
    const isApart = above !== undefined && above.base - line.base > EMPTY_LINE * line.style.size;
    return (isApart ? "\n" : "") + inColumns(line, margin);
  });
  return written.join("\n");
}

/** The line with each of its stretches in the column where it stands. */
function inColumns(line: Line, margin: number): string {
  const width = widthOf(line);
  let text = "";
  for (const segment of line.segments) {
    const column = Math.round((segment.left - margin) / width);
    text = (text === "" ? "" : `${text} `).padEnd(column) + segment.text;
  }
  return text;
}

function widthOf(line: Line): number {
  const [segment] = line.segments;
  const length = segment?.text.length ?? 0;
  return segment !== undefined && length > 3 ? (segment.right - segment.left) / length : USUAL_WIDTH * line.style.size;
}
