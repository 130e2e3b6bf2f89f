/** @file What an index keeps of a chunk: its content as JSON, and the terms that it is found by. */
import type { Chunk } from "../../chunk/chunk.js";
import { documentTerms, type TermCounts } from "../terms.js";
import type { IndexedChunk } from "./store.js";

/** What is kept of a chunk as JSON. */
export type Content = Omit<IndexedChunk, "id" | "vector">;

/** JSON, because a string of JavaScript may hold what text of a database cannot: zeros and half surrogate pairs. */
export function writeContent({ start, end, text, headingPath, numTokens, page, parent }: IndexedChunk): string {
  return JSON.stringify({
    start,
    end,
    text,
    headingPath,
    numTokens,
    ...(page !== undefined && { page }),
    ...(parent !== undefined && { parent: { start: parent.start, end: parent.end } }),
  } satisfies Content);
}

/** A chunk is also found by the names that it stands under: its own text need not repeat them. */
export function termsOf(path: string, { headingPath, text }: Pick<Chunk, "headingPath" | "text">): TermCounts {
  return documentTerms([path, ...headingPath, text].join("\n"));
}
