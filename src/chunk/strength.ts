/** @file How strongly a text may be cut at a place: the order of structure, weakest first. */

/** Strength of the boundary in front of a unit. Higher is a better place to cut; gaps are the headings' levels. */
export const Strength = {
  /** Between two graphemes of one word. */
  grapheme: 0,
  word: 1,
  /** After a comma, semicolon or colon inside a sentence. */
  clause: 2,
  /** Between a heading and its text, a fence and its code, a table's head and its first row. */
  glue: 3,
  /** A line break inside a paragraph that is wrapped at some width. */
  soft: 4,
  sentence: 5,
  /** A line of code, a table row, a line so long that it is a paragraph. */
  line: 6,
  /** A block inside a block: nested item, paragraph of an item, blank line in code. */
  part: 7,
  item: 8,
  /** A block that the one before introduces with a colon. */
  introduced: 9,
  block: 10,
  /** Heading of level 6; level 1 is five above. */
  heading: 11,
  /** The chunk ends here: what lies between is too long to be held. */
  must: 17,
} as const;

/** Strength of the boundary in front of a heading; level 7, which no heading has, is a block's. */
export function headingStrength(level: number): number {
  return Strength.heading + 6 - level;
}
