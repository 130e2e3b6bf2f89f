/** @file What can be quoted: the sentences, items, rows and pieces of code of passages. */

import type { StoredChunk } from "../retrieval/index.js";
import { documentTerms } from "../retrieval/terms.js";
import { type Span, sentences } from "../text/index.js";
import { type Block, blocksOf } from "./blocks.js";

/** A passage of a search. */
export interface Found {
  readonly chunk: Pick<StoredChunk, "path" | "start" | "text" | "headingPath" | "page">;
  /** Positive and comparable with the others. */
  readonly score: number;
}

/** A sentence, an item, a row or a block of code. */
export interface Candidate {
  readonly found: Found;
  readonly block: Block;
  /** In the document. */
  readonly span: Span;
  readonly text: string;
  readonly terms: Terms;
  /** Of the candidates before and after it in the passage, none of code. */
  readonly before: Terms;
  readonly after: Terms;
  /** Of the headings above and, for the row of a table, its head. */
  readonly headings: Terms;
  readonly isRow: boolean;
  /** Share of its score that it keeps as something to be read alone, 0 to 1. */
  readonly kept: number;
}

type Terms = ReadonlySet<string>;

/** In the order of the passage. */
export function candidatesOf(found: Found): Candidate[] {
  const { chunk } = found;
  const pieces = blocksOf(chunk).flatMap((block) =>
    spansOf(chunk.text, block).map((span) => ({ block, span, text: chunk.text.slice(span.start, span.end) })),
  );
  const telling = pieces.filter(({ text }) => isTelling(text));
  const terms = telling.map(({ text }) => termsOf(text));
  const headings = new Map<readonly string[], Terms>();
  for (const { headingPath } of new Set(telling.map(({ block }) => block)))
    if (!headings.has(headingPath)) headings.set(headingPath, termsOf(headingPath.join("\n")));
  const inWords = (i: number): Terms => (telling[i] && !telling[i].block.isCode ? terms[i]! : none);
  return telling.map(({ block, span: { start, end }, text }, i) => {
    const isRow = row.test(text);
    const above = headings.get(block.headingPath)!;
    return {
      found,
      block,
      span: { start: chunk.start + start, end: chunk.start + end },
      text,
      terms: terms[i]!,
      before: inWords(i - 1),
      after: inWords(i + 1),
      headings: isRow ? new Set([...above, ...terms[telling.findIndex((one) => one.block === block)]!]) : above,
      isRow,
      kept: keptOf(text, block, i === 0 && chunk.start > 0),
    };
  });
}

const none: Terms = new Set();

/** With the words of names such as keepAliveTimeout. */
function termsOf(text: string): Terms {
  const names = text.match(/\p{L}*\p{Ll}\p{Lu}\p{L}*/gu) ?? [];
  const words = names.map((name) => name.replace(/(?<=\p{Ll})(?=\p{Lu})/gu, " "));
  return new Set(documentTerms([text, ...words].join("\n")).counts.keys());
}

const row = /^[ \t]*\|/u;
/** A row, an item or a heading stands for itself, whatever the lines around it. */
const ownLine = /\n[ \t]*(?=\||#{1,6}\s|[-*+]\s|\d+[.)]\s)/gu;

function spansOf(text: string, { start, end, isCode }: Block): Span[] {
  if (isCode) return [{ start, end }];
  const block = text.slice(start, end);
  const cuts = [...block.matchAll(ownLine)];
  const starts = [0, ...cuts.map(({ index, 0: gap }) => index + gap.length)];
  return starts.flatMap((from, i) => {
    const lines = block.slice(from, cuts[i]?.index ?? block.length);
    const spans = row.test(lines) ? [{ start: 0, end: lines.length }] : [...sentences(lines)];
    return spans.map((span) => ({ start: start + from + span.start, end: start + from + span.end }));
  });
}

/** Tags, pictures, links to places of the same document, targets of links and headings. */
const noWords = /<[^>]*>|!\[[^\]]*\]\([^)]*\)|\[[^\]]*\]\(#[^)]*\)|^\[[^\]]*\]: .*|^[ \t>]*#{1,6}\s[^\n]*$/gu;

/** Rules of tables, numbers of items, anchors and tables of contents say nothing that could be quoted. */
const isTelling = (text: string): boolean => /\p{L}/u.test(text.replace(noWords, ""));

const CODE = 0.6;
const POINTER = 0.5;
const QUESTION = 0.5;
const FRAGMENT = 0.5;
const pointer = /^(?:[>*+-]\s*)?\(?(?:see|cf)\b|^(?:[>*+-]\s*)?(?:参[见考阅看]|详见|véase)/iu;

/** Less for code, for questions, for what points elsewhere, and for the end of a sentence that began before the passage. */
function keptOf(text: string, { isCode }: Block, mayBeCut: boolean): number {
  if (isCode) return CODE;
  if (pointer.test(text)) return POINTER;
  if (/[?？]["”’)*_]*$/u.test(text)) return QUESTION;
  return mayBeCut && /^\p{Ll}/u.test(text) ? FRAGMENT : 1;
}
