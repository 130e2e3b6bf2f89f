/** @file Cuts a text at the matches of a regular expression. */

import type { CutEffect, PieceVisitor, Pretokenizer } from "./pretokenizer.js";

/** What becomes of a match. Named as in tokenizer.json. */
export const splitBehaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"] as const;
export type SplitBehavior = (typeof splitBehaviors)[number];

interface Segment {
  readonly start: number;
  readonly end: number;
  readonly isMatch: boolean;
}

export class SplitPretokenizer implements Pretokenizer {
  readonly #pattern: RegExp;
  readonly #behavior: SplitBehavior;
  readonly #inverted: boolean;

  /**
   * @param pattern with the flags g and u.
   * @param inverted treats what lies between matches as the matches.
   */
  constructor(pattern: RegExp, behavior: SplitBehavior, inverted: boolean) {
    this.#pattern = pattern;
    this.#behavior = behavior;
    this.#inverted = inverted;
  }

  scan(text: string, start: number, end: number, visit: PieceVisitor): boolean {
    // a slice, so that anchors and lookarounds see the stretch as a text of its own
    const stretch = start === 0 && end === text.length ? text : text.slice(start, end);
    for (const piece of joined(this.#segments(stretch), this.#behavior)) {
      if (!visit(start + piece.start, start + piece.end)) return false;
    }
    return true;
  }

  cutEffect(): CutEffect {
    return "unknown";
  }

  *#segments(text: string): Generator<Segment> {
    let last = 0;
    for (const match of text.matchAll(this.#pattern)) {
      const end = match.index + match[0].length;
      if (match.index > last) yield { start: last, end: match.index, isMatch: this.#inverted };
      if (end > match.index) yield { start: match.index, end, isMatch: !this.#inverted };
      last = end;
    }
    if (last < text.length) yield { start: last, end: text.length, isMatch: this.#inverted };
  }
}

/** Applies the behaviour: a run of segments that belong together becomes one. */
function* joined(segments: Iterable<Segment>, behavior: SplitBehavior): Generator<Segment> {
  let held: Segment | undefined;
  for (const segment of segments) {
    if (behavior === "Removed" && segment.isMatch) continue;
    if (held !== undefined && belongs(held, segment, behavior)) {
      held = { start: held.start, end: segment.end, isMatch: segment.isMatch };
    } else {
      if (held !== undefined) yield held;
      held = segment;
    }
  }
  if (held !== undefined) yield held;
}

function belongs(previous: Segment, next: Segment, behavior: SplitBehavior): boolean {
  if (behavior === "Contiguous") return previous.isMatch === next.isMatch;
  if (behavior === "MergedWithPrevious") return next.isMatch && !previous.isMatch;
  if (behavior === "MergedWithNext") return previous.isMatch && !next.isMatch;
  return false;
}
