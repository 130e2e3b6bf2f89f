/** @file Normalises a text in steps and keeps the way back from each character to the source. */

import { ConfigError } from "../base/errors.js";
import type { Span } from "./span.js";
import type { Edit, TextStep } from "./step.js";

/** A text after its steps. */
export class NormalizedText {
  readonly text: string;
  readonly #sourceLength: number;
  /** One for each step that moved something, in the order of the steps. */
  readonly #shifts: readonly Shifts[];

  constructor(text: string, sourceLength: number, shifts: readonly Shifts[]) {
    this.text = text;
    this.#sourceLength = sourceLength;
    this.#shifts = shifts;
  }

  /**
   * What `[start, end)` of `text` was made of, in UTF-16 code units of the source. A character that a step replaced leads
   * to all that was replaced with it (a stemmed word to the whole word), an empty span to an empty one.
   * Source spans of characters are never empty and in the order of the characters; they may be equal or overlap.
   * Time: the number of steps times the logarithm of their edits.
   * @throws ConfigError if the span does not lie in `text`.
   */
  sourceOf(start: number, end: number = start + 1): Span {
    const isInside = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end;
    if (!isInside || end > this.text.length) {
      throw new ConfigError(
        `sourceOf: expected 0 <= start <= end <= ${this.text.length} (the normalised text's length), not ${start} and ${end}`,
      );
    }
    if (start === end) {
      const at = start < this.text.length ? this.sourceOf(start).start : this.#sourceLength;
      return { start: at, end: at };
    }
    return this.#shifts.reduceRight((span, shifts) => shifts.sourceOf(span), { start, end });
  }
}

/**
 * Applies steps one after the other; each sees what the one before left. No steps give the text itself.
 * @throws ConfigError if a step's edits are empty, overlap, go back or lie outside of its text.
 * @example
 * const normalized = normalize("Don’t  stop", [contractions(), lowercase(), whiteSpace()]);
 * normalized.text; // "do not stop"
 * normalized.sourceOf(3, 6); // the span of "n’t"
 */
export function normalize(source: string, steps: readonly TextStep[]): NormalizedText {
  let text = source;
  const shifts: Shifts[] = [];
  for (const step of steps) {
    const edited = edit(text, step);
    text = edited.text;
    if (edited.shifts.size > 0) shifts.push(edited.shifts);
  }
  return new NormalizedText(text, source.length, shifts);
}

function edit(text: string, step: TextStep): { readonly text: string; readonly shifts: Shifts } {
  const builder = new ShiftsBuilder();
  const pieces: string[] = [];
  let at = 0;
  let length = 0;
  for (const { start, end, content } of step.edits(text)) {
    if (!(at <= start && start < end && end <= text.length)) {
      throw new ConfigError(
        `normalize: step ${step.name} edits [${start}, ${end}) after [..., ${at}) in a text of ${text.length} code units; ` +
          "edits must be ordered, not empty, apart from each other and inside",
      );
    }
    pieces.push(text.slice(at, start), content);
    length += start - at;
    builder.add({ start, end, content }, length);
    length += content.length;
    at = end;
  }
  if (pieces.length === 0) return { text, shifts: builder.finish() };
  pieces.push(text.slice(at));
  return { text: pieces.join(""), shifts: builder.finish() };
}

/** Numbers of a shift: where it begins and ends in the new text, and in the old one. */
const FIELDS = 4;

class ShiftsBuilder {
  readonly #values: number[] = [];

  /** An edit of one code unit for one moves nothing and is not noted: the case of a text costs no memory. */
  add({ start, end, content }: Edit, at: number): void {
    if (end - start !== 1 || content.length !== 1) this.#values.push(at, at + content.length, start, end);
  }

  finish(): Shifts {
    return new Shifts(Int32Array.from(this.#values));
  }
}

/** The way back through one step, as the edits that moved something. */
class Shifts {
  readonly #values: Int32Array;

  constructor(values: Int32Array) {
    this.#values = values;
  }

  get size(): number {
    return this.#values.length / FIELDS;
  }

  /** Where a span that is not empty comes from. */
  sourceOf({ start, end }: Span): Span {
    return { start: this.#character(start).start, end: this.#character(end - 1).end };
  }

  /** Where one code unit comes from. */
  #character(at: number): Span {
    const index = this.#lastAt(at);
    if (index < 0) return { start: at, end: at + 1 };
    const [, newEnd, oldStart, oldEnd] = this.#values.subarray(index * FIELDS, (index + 1) * FIELDS);
    if (at < newEnd!) return { start: oldStart!, end: oldEnd! };
    const start = oldEnd! + at - newEnd!;
    return { start, end: start + 1 };
  }

  /** Index of the last edit that begins at or before `at`, or -1. Of those at one place the last: only it has content there. */
  #lastAt(at: number): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#values[middle * FIELDS]! <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
