/** @file Grapheme cluster boundaries (Unicode UAX 29), asked only where text is to be cut. */
import { isHighSurrogate, isLowSurrogate, skipSpace, trimEnd } from "../text/characters.js";
import type { Span } from "./chunk.js";

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

/** A cluster longer than this many code units is cut like other text, or it could fill any memory. */
const MAX_GRAPHEME = 512;

/** Whether a cluster both ends before and begins at `index`. `from` is a boundary at or before it. */
export function isGraphemeBoundary(text: string, index: number, from: number): boolean {
  return graphemeFloor(text, index, from) === index;
}

/** Last boundary at or before `index`; `from` is a boundary at or before it. */
export function graphemeFloor(text: string, index: number, from: number): number {
  if (index <= from || index >= text.length || isSurelyBoundary(text, index)) return index;
  return clusterAt(text, index, from).start;
}

/** First boundary at or after `index`; `from` is a boundary at or before it. */
export function graphemeCeil(text: string, index: number, from: number): number {
  if (index <= from || index >= text.length || isSurelyBoundary(text, index)) return index;
  const cluster = clusterAt(text, index, from);
  return cluster.start === index ? index : cluster.end;
}

/** End of `[start, end)` without the white space there, save what belongs to the last cluster, which may reach past `end`. */
export function trimClustersEnd(text: string, start: number, end: number): number {
  return graphemeCeil(text, trimEnd(text, start, end), start);
}

/** `[start, end)`, which may end inside a cluster, without the white space around it, save what belongs to clusters; may be empty. */
export function trimClusters(text: string, start: number, end: number): Span {
  const from = graphemeFloor(text, skipSpace(text, start, end), start);
  return { start: from, end: Math.min(end, trimClustersEnd(text, from, end)) };
}

/** Start of each cluster in `[start, end)`. */
export function graphemeStarts(text: string, start: number, end: number): number[] {
  const starts = [start];
  for (let i = start + 1; i < end; i++) {
    const from = i;
    while (i < end && !isSurelyBoundary(text, i)) i++;
    if (i > from) {
      const last = starts.at(-1)!;
      for (const { index } of segmenter.segment(text.slice(last, i))) if (index > 0) starts.push(last + index);
    }
    if (i < end) starts.push(i);
  }
  return starts;
}

/** The cluster that holds the character at `index`; the character alone where the cluster is longer than the limit. */
function clusterAt(text: string, index: number, from: number): { start: number; end: number } {
  let start = index - 1;
  while (start > from && index - start < MAX_GRAPHEME && !isSurelyBoundary(text, start)) start--;
  const slice = text.slice(start, index + MAX_GRAPHEME);
  const { index: at, segment } = segmenter.segment(slice).containing(index - start)!;
  if (segment.length < MAX_GRAPHEME) return { start: start + at, end: start + at + segment.length };
  const isInPair = isLowSurrogate(text.charCodeAt(index)) && isHighSurrogate(text.charCodeAt(index - 1));
  return { start: isInPair ? index - 1 : index, end: index + 1 };
}

/** Characters that may belong to the cluster before them whatever it is: marks, joiners, Hangul jamo, halves of pairs. */
const ATTACHES = /\p{M}|\p{Grapheme_Extend}|\p{Cs}|\u200d|[\u0e33\u0eb3\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/u;

/** True where two neighbouring code units show that a boundary is between them; false says nothing. */
function isSurelyBoundary(text: string, index: number): boolean {
  const next = text.charCodeAt(index);
  const previous = text.charCodeAt(index - 1);
  if (isPlain(previous)) return previous !== 13 && (isPlain(next) || !ATTACHES.test(text.charAt(index)));
  return isPlain(next) && !mayPrepend(previous);
}

/** Characters that neither extend the cluster before them nor reach into the one after, save CR before LF. */
function isPlain(code: number): boolean {
  if (code < 0x300) return code !== 0xa9 && code !== 0xae;
  if (code < 0x2010) return (code >= 0x370 && code <= 0x482) || (code >= 0x48a && code <= 0x590);
  if (code <= 0x2027) return true;
  if (code <= 0x3000) return false;
  if (code <= 0xa48c) return !isEastAsianMark(code);
  return (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xff01 && code <= 0xff9d);
}

/** Tone and voicing marks, and the signs that are also emoji and so can be joined. */
function isEastAsianMark(code: number): boolean {
  return (code >= 0x302a && code <= 0x3030) || code === 0x3099 || code === 0x309a || (code >= 0x3297 && code <= 0x3299);
}

/** Characters that draw the next one into their cluster: prepended signs, leading Hangul jamo, and halves of such. */
function mayPrepend(code: number): boolean {
  if (code < 0x600) return false;
  if (isLowSurrogate(code) || (code >= 0x1100 && code <= 0x11ff) || (code >= 0xa960 && code <= 0xa97f)) return true;
  return code <= 0x605 || code === 0x6dd || code === 0x70f || (code | 1) === 0x891 || code === 0x8e2 || code === 0xd4e;
}
