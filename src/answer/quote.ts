/** @file Quotes: stretches of documents that an answer rests on, and the check that they are what the source says. */

import { DataError } from "../base/errors.js";
import type { Span } from "../text/index.js";

/** A stretch of a document. `source.slice(start, end) === text` for the document's text. */
export interface Quote extends Span {
  readonly path: string;
  readonly text: string;
  /** Titles of the sections that hold it, outermost first. */
  readonly headingPath: readonly string[];
  /** Page on which the passage begins that it was taken from, from 1; absent where the document has no pages. */
  readonly page?: number;
  /**
   * Share of what the question asks for that its best sentence, the ones around it and its headings hold, 0 to 1: of its
   * words, of scripts without spaces rather the characters, each counted by how rare it is among the passages that were found;
   * less where a word stands in another form, or around the sentence. Absent for words that a model copied.
   */
  readonly coverage?: number;
}

type Place = Pick<Quote, "path" | "start" | "end">;

/** Whether two quotes have characters in common. */
export const overlap = (a: Place, b: Place): boolean => a.path === b.path && a.start < b.end && b.start < a.end;

/** The text of a document as it was indexed; undefined where there is none any more. */
export type SourceOf = (path: string) => string | undefined | Promise<string | undefined>;

/**
 * The quotes as given, each found equal, code unit by code unit, to its place in its source.
 * @throws DataError naming the document that says something else there, or is gone.
 */
export async function checkedQuotes<T extends Quote>(quotes: readonly T[], sourceOf: SourceOf): Promise<readonly T[]> {
  for (const { path, start, end, text } of quotes) {
    const source = await sourceOf(path);
    if (source?.slice(start, end) !== text) {
      const found = source === undefined ? "is gone" : `says something else at ${start} to ${end}`;
      throw new DataError(`quoting: ${path} ${found}; the folder has changed since it was indexed: index it again`);
    }
  }
  return quotes;
}
