/** @file Lines of a page from its characters. */
import type { Glyph, TextStyle } from "./glyphs.js";
import { isTight } from "./join-lines.js";

/** A stretch of a line without a wide gap: all of it, or a cell of a table. */
export interface Segment {
  readonly text: string;
  readonly left: number;
  readonly right: number;
}

export interface Line {
  /** From left to right; never empty. */
  readonly segments: readonly Segment[];
  readonly left: number;
  readonly right: number;
  readonly base: number;
  /** That of most of its characters; it is bold or of one width if all of it is. */
  readonly style: TextStyle;
}

/** In heights of the font: how far a character may stand from the line's base, as an exponent does. */
const SAME_BASE = 0.5;
/** Gaps, in heights of the font, that part words and cells, and a way back that begins a line. */
const WORD_GAP = 0.25;
const CELL_GAP = 1.5;
const BACK = 0.5;

/** Lines in the order in which the page draws them; PDFium brings what stands on one base together. */
export function linesOf(glyphs: readonly Glyph[]): Line[] {
  const lines: Line[] = [];
  let current: Glyph[] = [];
  const flush = (): void => {
    const line = lineOf(current);
    if (line !== undefined) lines.push(line);
    current = [];
  };
  let previous: Glyph | undefined;
  for (const glyph of glyphs) {
    const isVisible = glyph.text !== " ";
    if (isVisible && previous !== undefined && !continues(previous, glyph)) flush();
    current.push(glyph);
    if (isVisible) previous = glyph;
  }
  flush();
  return lines;
}

function continues(previous: Glyph, next: Glyph): boolean {
  const size = Math.max(previous.style.size, next.style.size);
  return (
    previous.style.angle === next.style.angle &&
    Math.abs(previous.base - next.base) < SAME_BASE * size &&
    next.left > previous.left - BACK * size
  );
}

function lineOf(glyphs: readonly Glyph[]): Line | undefined {
  const visible = glyphs.filter(({ text }) => text !== " ");
  const first = visible[0];
  if (first === undefined) return undefined;
  const segments: { text: string; left: number; right: number }[] = [];
  let space: "none" | "gap" | "written" = "none";
  for (const { text, left, right, style, isGap } of glyphs) {
    if (text === " ") {
      if (space !== "written") space = isGap ? "gap" : "written";
      continue;
    }
    const segment = segments.at(-1);
    const gap = segment === undefined ? Number.POSITIVE_INFINITY : left - segment.right;
    if (segment === undefined || gap > CELL_GAP * style.size) segments.push({ text, left, right });
    else {
      // justified Chinese has gaps between characters, and no words for them to part
      const isWordGap = (space === "gap" || gap > WORD_GAP * style.size) && !isTight(segment.text, text);
      segment.text += (space === "written" || isWordGap ? " " : "") + text;
      segment.right = Math.max(segment.right, right);
    }
    space = "none";
  }
  return {
    segments,
    left: first.left,
    right: Math.max(...segments.map(({ right }) => right)),
    base: most(visible, ({ base }) => base),
    style: {
      size: most(visible, ({ style }) => style.size),
      angle: first.style.angle,
      isMono: visible.every(({ style }) => style.isMono),
      isBold: visible.every(({ style }) => style.isBold),
      mark: first.style.mark,
    },
  };
}

/** The value of most items; the first of those that are as frequent. */
export function most<T>(
  items: readonly T[],
  keyOf: (item: T) => number,
  weightOf: (item: T) => number = () => 1,
): number {
  const weights = new Map<number, number>();
  for (const item of items) weights.set(keyOf(item), (weights.get(keyOf(item)) ?? 0) + weightOf(item));
  let best: [number, number] = [0, -1];
  for (const entry of weights) if (entry[1] > best[1]) best = entry;
  return best[0];
}

/** The dots that lead from a title to its page. */
const LEADER = /(?: ?\.){5,} ?/g;

export function textOfLine({ segments }: Line): string {
  return segments
    .map(({ text }) => text)
    .join(" ")
    .replace(LEADER, " … ");
}
