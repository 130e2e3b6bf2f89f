/** @file The blocks of a passage: paragraphs, lists, tables and code, each with the headings that it stands under. */

import { type SectionSpan, sections } from "../chunk/index.js";
import type { StoredChunk } from "../retrieval/index.js";
import type { Span } from "../text/index.js";

/** In the passage, without the white space around it. */
export interface Block extends Span {
  readonly isCode: boolean;
  /** Titles of the sections that hold it, outermost first. */
  readonly headingPath: readonly string[];
}

type Passage = Pick<StoredChunk, "path" | "text" | "headingPath">;

const markdown = /\.(?:md|mdx|markdown)$/iu;

/** In order; of Markdown without the headings. */
export function blocksOf(passage: Passage): Block[] {
  const { path, text, headingPath } = passage;
  if (!markdown.test(path)) return [...paragraphs(text, { start: 0, end: text.length }, headingPath)];
  const opened = endOfOpenCode(text);
  const rest = { ...passage, text: text.slice(opened) };
  const blocks = opened > 0 ? [{ start: 0, end: opened, isCode: true, headingPath }] : [];
  return [...blocks, ...inSections(rest).map((block) => moved(block, opened))];
}

const moved = <T extends Span>(span: T, by: number): T => ({ ...span, start: span.start + by, end: span.end + by });

const fence = /^[ \t]*(?:`{3,}|~{3,})([^\n]*)$/gmu;
const fenced = /^[ \t]*(`{3,}|~{3,})[^\n]*(?:\n[\s\S]*?^[ \t]*\1[ \t]*$|[\s\S]*)/gmu;

/**
 * Where code ends that began before the passage; 0 where none did. A mark without a language ends code if there is a blank
 * line after it, or no other mark for it and text in the line before.
 */
function endOfOpenCode(text: string): number {
  const fences = [...text.matchAll(fence)];
  const [first] = fences;
  if (!first || first[1]!.trim() !== "") return 0;
  const end = first.index + first[0].length;
  const isFollowed = /^\n[ \t]*[^\s]/u.test(text.slice(end));
  const isPreceded = /[^\s][ \t]*\n$/u.test(text.slice(0, first.index));
  return !isFollowed || (fences.length % 2 === 1 && isPreceded) ? end : 0;
}

function inSections({ text, headingPath }: Passage): Block[] {
  const all = [...sections(text)];
  return all.flatMap((section) => {
    const path = pathOf(section, all[0]!, headingPath);
    const blocks: Block[] = [];
    let at = section.bodyStart;
    for (const { index, 0: code } of text.slice(at, section.end).matchAll(fenced)) {
      const start = section.bodyStart + index;
      const end = start + code.length;
      const indent = code.length - code.trimStart().length;
      blocks.push(...paragraphs(text, { start: at, end: start }, path));
      blocks.push({ start: start + indent, end, isCode: true, headingPath: path });
      at = end;
    }
    return [...blocks, ...paragraphs(text, { start: at, end: section.end }, path)];
  });
}

/**
 * The headings above a section of a passage, whose own are those of its beginning. Levels above the beginning are taken to
 * follow each other.
 */
function pathOf(section: SectionSpan, first: SectionSpan, above: readonly string[]): readonly string[] {
  if (section.level === 0) return above;
  const outermost = section.level - section.headingPath.length + 1;
  const ofBeginning = first.level > 0 ? first.level : above.length;
  const kept = Math.max(0, above.length - 1 - (ofBeginning - outermost));
  return [...above.slice(0, kept), ...section.headingPath];
}

/** In a quotation of Markdown too. */
const blankLines = /\n(?:[ \t>]*\n)+/gu;

function* paragraphs(text: string, { start, end }: Span, headingPath: readonly string[]): Generator<Block> {
  let at = start;
  for (const part of text.slice(start, end).split(blankLines)) {
    const from = text.indexOf(part, at);
    at = from + part.length;
    const [lead, words] = [part.length - part.trimStart().length, part.trim()];
    if (words !== "") yield { start: from + lead, end: from + lead + words.length, isCode: false, headingPath };
  }
}
