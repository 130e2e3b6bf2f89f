/** @file Cuts a stretch of text that has no better boundaries: between words, then graphemes, then code points. */
import { CapacityError } from "../base/errors.js";
import { isHighSurrogate, isIdeographic, isLowSurrogate, isSpace, skipSpace, trimEnd } from "../text/characters.js";
import type { Span } from "./chunk.js";
import { graphemeStarts, isGraphemeBoundary, trimClusters } from "./graphemes.js";
import { Strength } from "./strength.js";

const CLAUSE_MARKS = ",;:，；：、—";
const OPENERS = "（「『【《〈［｛";
const CLOSERS = "）」』】》〉］｝，。、；：！？．";

/** A span and the strength of the boundary in front of it. */
export interface Piece extends Span {
  readonly strength: number;
}

/** Strength of the boundary between the words around `index`, the first of which begins at or after `start`. */
export function wordStrength(text: string, start: number, index: number): number {
  const before = trimEnd(text, start, index);
  return before > start && CLAUSE_MARKS.includes(text.charAt(before - 1)) ? Strength.clause : Strength.word;
}

/** Where words of `[start, end)` begin, after the first. Each ideograph is a word: its script has no spaces. */
export function wordStarts(text: string, start: number, end: number): number[] {
  const starts: number[] = [];
  for (let i = start + 1; i < end; i++) {
    if (isWordStart(text, i) && isGraphemeBoundary(text, i, start)) starts.push(i);
  }
  return starts;
}

function isWordStart(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  const previous = text.charCodeAt(index - 1);
  if (isSpace(code) || isLowSurrogate(code)) return false;
  if (isSpace(previous)) return true;
  if (!isIdeographic(code) && !isIdeographic(previous)) return false;
  return !CLOSERS.includes(text.charAt(index)) && !OPENERS.includes(text.charAt(index - 1));
}

/**
 * Cuts `[start, end)` into words, and words for which `fits` is false into the largest halves of halves that fit: between
 * graphemes, and inside one only if it does not fit by itself.
 * @throws CapacityError if a single code point does not fit.
 */
export function cutWords(text: string, start: number, end: number, fits: Fits): Piece[] {
  const pieces: Piece[] = [];
  const starts = [start, ...wordStarts(text, start, end), end];
  for (let w = 0; w + 1 < starts.length; w++) {
    const word = trimClusters(text, starts[w]!, starts[w + 1]!);
    let strength = wordStrength(text, start, word.start);
    for (const part of keep(word, fits) ?? cutGraphemes(text, word, fits)) {
      pieces.push({ start: part.start, end: part.end, strength });
      strength = Strength.grapheme;
    }
  }
  return pieces;
}

type Fits = (span: Span) => boolean;

function cutGraphemes(text: string, { start, end }: Span, fits: Fits): Span[] {
  const bounds = [...graphemeStarts(text, start, end), end];
  return halve(
    bounds,
    (span) => keep(trimClusters(text, span.start, span.end), fits),
    (grapheme) => cutCodePoints(text, grapheme, fits),
  );
}

function cutCodePoints(text: string, { start, end }: Span, fits: Fits): Span[] {
  const bounds = [...codePointStarts(text, start, end), end];
  return halve(
    bounds,
    (span) => keep(trimPoints(text, span), fits),
    (point) => {
      throw tooLarge(text, point.start);
    },
  );
}

/** The span between the outer bounds, if `keep` takes it, or its halves; `cutOne` cuts what has no bound inside. */
function halve(
  bounds: readonly number[],
  keep: (span: Span) => Span[] | undefined,
  cutOne: (span: Span) => Span[],
): Span[] {
  const span = { start: bounds[0]!, end: bounds.at(-1)! };
  const kept = keep(span);
  if (kept !== undefined) return kept;
  if (bounds.length === 2) return cutOne(span);
  const middle = bounds.length >> 1;
  return [...halve(bounds.slice(0, middle + 1), keep, cutOne), ...halve(bounds.slice(middle), keep, cutOne)];
}

/** What is left of a span without white space, in a list; undefined if it has to be cut. */
function keep(span: Span, fits: Fits): Span[] | undefined {
  if (span.start === span.end) return [];
  return fits(span) ? [span] : undefined;
}

function trimPoints(text: string, { start, end }: Span): Span {
  const from = skipSpace(text, start, end);
  return { start: from, end: trimEnd(text, from, end) };
}

function codePointStarts(text: string, start: number, end: number): number[] {
  const starts: number[] = [];
  for (let i = start; i < end; i++) {
    const isInside = i > start && isLowSurrogate(text.charCodeAt(i)) && isHighSurrogate(text.charCodeAt(i - 1));
    if (!isInside) starts.push(i);
  }
  return starts;
}

function tooLarge(text: string, at: number): CapacityError {
  const code = text.codePointAt(at)!.toString(16).toUpperCase().padStart(4, "0");
  return new CapacityError(`chunk: the single character U+${code} has more tokens than maxTokens; raise maxTokens`);
}
