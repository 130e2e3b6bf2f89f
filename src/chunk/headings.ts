/** @file Sections of a document: headings and what stands under them. */

const MAX_TITLE = 256;

export interface Heading {
  /** 1 to 6, 1 the highest. */
  readonly level: number;
  readonly title: string;
}

/** A heading and its place among the others. The root has level 0 and no title. */
export interface Section {
  readonly level: number;
  readonly parent: Section | undefined;
  /** Titles from the outermost heading to this one. */
  readonly path: readonly string[];
}

export const rootSection: Section = { level: 0, parent: undefined, path: [] };

/** The section that a heading opens: under the nearest open one of a higher rank. */
export function openSection(current: Section, level: number, title: string): Section {
  let parent = current;
  while (parent.level >= level) parent = parent.parent ?? rootSection;
  return { level, parent, path: [...parent.path, title] };
}

/**
 * A heading's line as a title: no closing `#`s, anchors, HTML tags or link targets; at most 256 code units,
 * since a title is a label and a line has no limit.
 */
export function headingTitle(line: string): string {
  const title = line.slice(0, MAX_TITLE).trim();
  if (!/[#<[]/.test(title)) return title;
  return title
    .replace(/(^|[ \t])#+$/, "")
    .replace(/\s*\{#[^}]*\}$/, "")
    .replace(/<\/?a\b[^>]*>/gi, "")
    .replace(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1")
    .trim();
}
