/** @file White space: runs to one space, line breaks to one form, none around the text. */

import type { Edit, TextStep } from "../step.js";
import { replaceMatches } from "../step.js";

export interface WhiteSpaceOptions {
  /**
   * `space` (default): a run with line breaks is a run like others. `keep`: it becomes one line break, or two where there
   * was a blank line, so that lines and paragraphs stay.
   */
  readonly lineBreaks?: "space" | "keep";
  /** Takes white space off both ends. Default true. */
  readonly trims?: boolean;
}

/** What `trim` takes for white space, and the control character for a next line. */
const runs = /[\s\u0085]+/g;
/** CR LF is one line break. */
const lineBreak = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/g;

/** Every run of white space becomes one space (or line break). */
export function whiteSpace({ lineBreaks = "space", trims = true }: WhiteSpaceOptions = {}): TextStep {
  return { name: "whiteSpace", edits };

  function* edits(text: string): Generator<Edit> {
    yield* replaceMatches(text, runs, ({ index, 0: run }) => {
      if (trims && (index === 0 || index + run.length === text.length)) return "";
      const numBreaks = lineBreaks === "keep" ? (run.match(lineBreak)?.length ?? 0) : 0;
      return numBreaks === 0 ? " " : "\n".repeat(Math.min(numBreaks, 2));
    });
  }
}
