/** @file What is usual in a document: the size of its text, the distance of its lines, the sizes of its headings. */
import { type Line, most, textOfLine } from "./lines.js";

export interface Measures {
  /** Font size of most characters, in points. */
  readonly bodySize: number;
  /** Distance from base to base, in heights of the font. */
  readonly leading: number;
  /** Level of a heading, from 1; undefined for a line that is none. */
  headingLevel(line: Line): number | undefined;
}

/** Sizes of headings, in sizes of the text. */
const LARGE = 1.15;
const LARGER = 1.05;
const LONGEST_HEADING = 200;
const LONGEST_BOLD = 100;
/** A heading's number, as in `2.1 Method`. */
const NUMBERED = /^\d+((?:\.\d+)*)\.?\s+\p{L}/u;

export function measuresOf(lines: readonly Line[]): Measures {
  const bodySize =
    most(
      lines,
      ({ style }) => rounded(style.size),
      (line) => textOfLine(line).length,
    ) || 1;
  const isBoldRare = lines.filter(({ style }) => style.isBold).length < lines.length / 2;
  const isLarge = (line: Line): boolean => line.style.size >= LARGE * bodySize && isTitle(line, LONGEST_HEADING);
  const sizes = [...new Set(lines.filter(isLarge).map(({ style }) => rounded(style.size)))].sort((a, b) => b - a);
  return {
    bodySize,
    leading: leadingOf(lines),
    headingLevel: (line) => {
      if (isLarge(line)) return sizes.indexOf(rounded(line.style.size)) + 1;
      const { isBold, size } = line.style;
      if (!isBoldRare || !isBold || size < bodySize * 0.98 || !isTitle(line, LONGEST_BOLD)) return undefined;
      const text = textOfLine(line);
      const number = NUMBERED.exec(text);
      if ((number === null && size < bodySize * LARGER) || /[.,;:]$/.test(text)) return undefined;
      return sizes.length + 1 + (number?.[1]?.split(".").length ?? 1) - 1;
    },
  };
}

function isTitle(line: Line, longest: number): boolean {
  const text = textOfLine(line);
  // an entry of a table of contents only names one
  return !line.style.isMono && text.length <= longest && /\p{L}/u.test(text) && !/ … \w+$/.test(text);
}

/** Halves of points: sizes of one style differ by rounding. */
function rounded(size: number): number {
  return Math.round(size * 2) / 2;
}

/** Single spacing and what is beyond double spacing, in heights of the font. */
const SINGLE = 1.2;
const WIDEST = 2.5;

/** The most frequent distance of lines that follow each other. */
function leadingOf(lines: readonly Line[]): number {
  const distances = lines.slice(1).map((line, i) => (lines[i]!.base - line.base) / line.style.size);
  const near = distances.filter((distance) => distance > SAME && distance < WIDEST);
  return near.length === 0 ? SINGLE : most(near, (distance) => Math.round(distance * 10) / 10);
}

const SAME = 0.8;
