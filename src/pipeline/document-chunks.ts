/** @file Chunks of documents: cut as what the text is, each with its page where the document has pages. */

import { type Chunk, chunkers, type TokenCounter } from "../chunk/index.js";
import { type Document, pageAt } from "../documents/index.js";

/** Tokens per chunk, and how many of them repeat the chunk before: an eighth was best at 100 and 200 tokens. */
export const CHUNK = { maxTokens: 256, overlapTokens: 32 };

/** The chunks of a document as `up` indexes them. */
export function chunksOf(document: Document, counter: TokenCounter): Generator<Chunk> {
  const format = document.mediaType === "text/markdown" ? "markdown" : "plain";
  return withPages(document, chunkers.recursive.chunk(document.text, { counter, format, ...CHUNK }));
}

/** Chunks that say on which page of the document they start. */
export function* withPages(document: Pick<Document, "pageStarts">, chunks: Iterable<Chunk>): Generator<Chunk> {
  for (const chunk of chunks) {
    const page = pageAt(document, chunk.start);
    yield page === undefined ? chunk : { ...chunk, page };
  }
}
