/** @file Lines in a font of one width as code: indentation and empty lines by where they stand. */
import { type Line, textOfLine } from "./lines.js";

/** Width of a character, in heights of the font, where a line is too short to tell. */
const USUAL_WIDTH = 0.6;
/** Distance, in heights of the font, that leaves room for an empty line. */
const EMPTY_LINE = 2;

export function codeOf(lines: readonly Line[]): string {
  const margin = Math.min(...lines.map(({ left }) => left));
  const written = lines.map((line, i) => {
    const above = lines[i - 1];
    const isApart = above !== undefined && above.base - line.base > EMPTY_LINE * line.style.size;
    return (
      (isApart ? "\n" : "") +
      " ".repeat(Math.max(0, Math.round((line.left - margin) / widthOf(line)))) +
      textOfLine(line)
    );
  });
  return written.join("\n");
}

function widthOf(line: Line): number {
  const [segment] = line.segments;
  const length = segment?.text.length ?? 0;
  return segment !== undefined && length > 3 ? (segment.right - segment.left) / length : USUAL_WIDTH * line.style.size;
}
