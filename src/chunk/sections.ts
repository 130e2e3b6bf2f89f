/** @file The sections of a Markdown text: each heading with the text up to the next one. */

import type { Span } from "../text/span.js";
import { openSection, rootSection } from "./headings.js";
import { LOOKAHEAD, lineEnd } from "./lines.js";
import { MarkdownLines } from "./markdown-lines.js";

/** From a heading to the next, or the text before the first. */
export interface SectionSpan extends Span {
  /** Titles from the outermost heading to this one; empty before the first. */
  readonly headingPath: readonly string[];
  /** Of the heading, 1 the highest; 0 before the first. */
  readonly level: number;
  /** Where the text under the heading begins. */
  readonly bodyStart: number;
}

/** Sections in the order of the text, which they hold all of; one that has sections below it ends where the first of them begins. */
export function* sections(text: string): Generator<SectionSpan> {
  const lines = new MarkdownLines();
  let section = rootSection;
  let [start, bodyStart] = [0, 0];
  let isUnderlined = false;
  for (let at = 0; at < text.length; ) {
    const to = Math.min(text.length, at + lines.lookahead(text, at));
    const line = lines.read(text, at, to);
    const end = lineEnd(text, at, text.length);
    const next = Math.min(text.length, end + 1);
    if (line?.heading) {
      if (at > 0) yield { start, end: at, headingPath: section.path, level: section.level, bodyStart };
      section = openSection(section, line.heading.level, line.heading.title);
      [start, bodyStart] = [at, next];
      isUnderlined = !/^\s*(?:#|<)/.test(text.slice(at, Math.min(end, at + LOOKAHEAD)));
    } else if (isUnderlined) {
      bodyStart = next;
      isUnderlined = false;
    }
    at = next;
  }
  if (text.length > 0) yield { start, end: text.length, headingPath: section.path, level: section.level, bodyStart };
}
