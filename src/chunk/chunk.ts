/** @file What every chunker takes and gives: spans of a source text, never text without its place. */

import type { Span } from "../text/span.js";

export type { Span } from "../text/span.js";

/** A span with its text and where in the document's structure it stands. `source.slice(start, end) === text`. */
export interface Chunk extends Span {
  readonly text: string;
  /**
   * Titles of the sections that hold the chunk's first character, outermost first; empty before the first heading.
   * A chunk that opens with a heading has that heading last.
   */
  readonly headingPath: readonly string[];
  /** Size in the chunker's unit: tokens by its counter. */
  readonly numTokens: number;
  /** Page of the document on which the chunk starts, counted from 1; absent where the document has no pages. */
  readonly page?: number;
  /**
   * The larger passage that a reader should be shown in the chunk's place: its parent, or the sentences around it.
   * Absent where the chunk stands for itself. Holds the chunk.
   */
  readonly parent?: Span;
}

/** Counts the tokens of `text.slice(start, end)`. A Tokenizer is one. */
export interface TokenCounter {
  count(text: string, start?: number, end?: number): number;
  /**
   * Whether counts add up at `index`, whatever stands around it:
   * `count(text, a, index) + count(text, index, b) === count(text, a, b)` for all `a < index < b`.
   * May say no where yes would be right, never the reverse, and must look at the characters next to `index` only.
   * A counter without it is taken to add up nowhere: right, but each chunk is then counted a second time.
   */
  addsUpAt?(text: string, index: number): boolean;
}

/** What every chunker needs to know. */
export interface ChunkOptions {
  readonly counter: TokenCounter;
  /** No chunk is larger, counted on its own text, overlap included. */
  readonly maxTokens: number;
  /** Most tokens that a chunk repeats from the one before. Default 0: repeated text costs index space. */
  readonly overlapTokens?: number;
}

/** A way to cut text. Registered in `index.ts`; the conformance suite then tests it. */
export interface ChunkerDef<Options extends ChunkOptions = ChunkOptions> {
  readonly name: string;
  /** What `maxTokens` and `numTokens` count. */
  readonly unit: "tokens";
  /** Chunks of a text in memory, in order of their starts. */
  chunk(text: string, options: Options): Generator<Chunk>;
  /** The same chunks of a text that arrives in pieces, cut anywhere; offsets count from the start of the stream. */
  chunkStream(source: AsyncIterable<string>, options: Options): AsyncGenerator<Chunk>;
}
