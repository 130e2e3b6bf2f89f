/** @file The runtime's word segments of a text of any length. */

/** A stretch between two word boundaries. */
export interface Segment {
  readonly start: number;
  readonly text: string;
  /** Whether it holds a letter, digit or ideograph. */
  readonly isWord: boolean;
}

/** The runtime copies all of its text for each segment (V8, Node 20 to 24), so that it gets a text in windows of this size. */
const WINDOW = 1024;
const letterOrDigit = /[\p{L}\p{N}]/u;
/** Between these two a word always begins, and a run that the dictionary cuts as a whole. */
const safeCut = /[\s。！？、](?=[\p{L}\p{N}])/gu;
/** Segments at the end of a window that more text might change: a word goes on after one mark, as in can't. */
const NUM_OPEN = 2;

/** All segments, in order and without gaps, by Unicode Standard Annex 29 in the root locale. */
export function* wordSegments(text: string, segmenter: Intl.Segmenter): Generator<Segment> {
  let window = WINDOW;
  for (let from = 0; from < text.length; ) {
    const to = windowEnd(text, from, Math.min(text.length, from + window));
    const isClosed = to < from + window;
    const found = Array.from(segmenter.segment(text.slice(from, to)));
    const last = isClosed ? found.length : found.length - NUM_OPEN;
    if (last <= 0) {
      window *= 2;
      continue;
    }
    for (const { index, segment, isWordLike } of found.slice(0, last)) {
      // a digit that a joiner ties to an emoji is not word-like to ICU
      yield { start: from + index, text: segment, isWord: isWordLike === true || letterOrDigit.test(segment) };
    }
    from += last < found.length ? found[last]!.index : to - from;
    window = WINDOW;
  }
}

/** The last safe place to cut before `to`; the text's end if `to` is; else `to`. */
function windowEnd(text: string, from: number, to: number): number {
  if (to === text.length) return to;
  let cut = to;
  for (const { index } of text.slice(from, to).matchAll(safeCut)) cut = from + index + 1;
  return cut;
}
