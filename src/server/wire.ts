/** @file What goes over HTTP: bodies of responses and events, shared with the page. */

import type { KnowledgeService, TextEnd } from "./service.js";

export type AboutResponse = Pick<KnowledgeService, "folder" | "numDocuments" | "numChunks" | "model" | "topics">;

/** A passage of a document. All offsets are UTF-16 code units from the document's start, ends exclusive. */
export interface Passage {
  readonly path: string;
  /** Titles of the sections that hold the passage, outermost first. */
  readonly headingPath: readonly string[];
  readonly start: number;
  readonly end: number;
  /** Page of the document on which the passage starts, from 1; absent where the document has no pages. */
  readonly page?: number;
  readonly text: string;
  /** Higher is better; comparable only within one response. */
  readonly score: number;
  /** Rank in each list that was searched, from 1; absent where the list did not find it. */
  readonly ranks: { readonly text?: number; readonly vector?: number };
  /** Words that the question has too: start and end of each. */
  readonly matches: readonly (readonly [start: number, end: number])[];
}

export interface SearchResponse {
  /** Best first. */
  readonly passages: readonly Passage[];
  /** Time the search took. */
  readonly milliseconds: number;
}

export interface DocumentResponse {
  readonly path: string;
  readonly text: string;
}

export interface ErrorResponse {
  readonly error: {
    readonly message: string;
    /** The part of the request that is wrong. */
    readonly field?: string;
  };
}

/** Server-sent events of a completion: texts, then one `done` or `error`. */
export type CompletionEvent =
  | { readonly event: "text"; readonly data: { readonly text: string } }
  | { readonly event: "done"; readonly data: TextEnd & { readonly milliseconds: number } }
  | { readonly event: "error"; readonly data: ErrorResponse };
