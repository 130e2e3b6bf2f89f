/** @file The sentences of a document that can stand for themselves: prose, without code, headings, tables and lists of links. */

import { type Span, sentences } from "../text/index.js";

/** Lines that are no prose: headings, tables, tags, rules, definitions of links. */
const aside = /^(?:#{1,6}\s|\||<|={3,}|-{3,}|\*{3,}|\[[^\]]+\]:|:{3,})/u;
const fence = /^(?:`{3,}|~{3,})/u;
/** What stands before the text of an item or a quotation. */
const marker = /^(?:[-*+]\s+|\d{1,3}[.)]\s+|>\s?)+/u;
const linkOnly = /^!?\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?[.:]?$/u;

/** Ends a sentence, with marks that close what was opened in it. */
const ended = /[.!?…。！？][)\]"'”’»」』）*_`]*$/u;

/** Fewest and most characters of a sentence; of Chinese fewer say as much. */
const LEAST = 30;
const LEAST_HAN = 8;
const MOST = 400;

/** Prose sentences of Markdown or plain text, in order. A sentence never reaches over a blank line, an item or what is no prose. */
export function proseSentences(text: string): Span[] {
  return proseBlocks(text).flatMap(({ start, end }) =>
    [...sentences(text.slice(start, end))]
      .map((span) => ({ start: start + span.start, end: start + span.end }))
      .filter((span) => isTelling(text.slice(span.start, span.end))),
  );
}

/** Code and addresses are not what a sentence says. */
const markup = /\]\([^)]*\)|`[^`]*`|https?:\S+/gu;

/** A sentence without its code and addresses. */
export const withoutMarkup = (sentence: string): string => sentence.replace(markup, " ");

function isTelling(sentence: string): boolean {
  if (sentence.length > MOST || !ended.test(sentence) || linkOnly.test(sentence)) return false;
  const said = withoutMarkup(sentence).trim();
  return said.length >= LEAST || (said.match(/\p{sc=Han}/gu) ?? []).length >= LEAST_HAN;
}

function proseBlocks(text: string): Span[] {
  const blocks: { start: number; end: number }[] = [];
  let open = false;
  let fenced: string | undefined;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const indent = text.slice(start, end).search(/\S/u);
    const line = indent < 0 ? "" : text.slice(start + indent, end);
    const mark = fence.exec(line)?.[0];
    if (fenced !== undefined || mark !== undefined) {
      // only the mark that opened it closes a block of code
      if (fenced === undefined) fenced = mark;
      else if (mark?.startsWith(fenced)) fenced = undefined;
      open = false;
    } else if (line === "" || aside.test(line)) open = false;
    else {
      const item = marker.exec(line)?.[0] ?? "";
      const isQuotation = item.startsWith(">");
      if (open && (item === "" || isQuotation)) blocks.at(-1)!.end = end;
      else blocks.push({ start: start + indent + item.length, end });
      open = line.length > item.length;
    }
    start = end + 1;
  }
  return blocks;
}
