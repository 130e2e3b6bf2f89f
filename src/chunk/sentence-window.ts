/** @file One sentence per chunk, to be found; the sentences around it, to be read. */
import { ConfigError } from "../base/errors.js";
import type { Chunk, ChunkerDef, ChunkOptions } from "./chunk.js";
import { singleSentenceBreaks } from "./chunk-breaks.js";
import { type ChunkSource, type FormatOptions, packUnits, proseUnits, streamed } from "./streamed.js";
import type { TextWindow } from "./text-window.js";

export interface SentenceWindowOptions extends ChunkOptions, FormatOptions {
  /** Sentences on each side that `parent` holds besides the chunk, within its section. Default 3. */
  readonly windowSentences?: number;
}

/**
 * Each sentence is a chunk; its `parent` is the stretch of the sentences around it. A heading belongs to its first
 * sentence, and a sentence of more than `maxTokens` is several chunks.
 * @throws ConfigError if `maxTokens`, `overlapTokens` or `windowSentences` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const sentenceWindow: ChunkerDef<SentenceWindowOptions> = streamed(
  "sentence-window",
  (window, options) => new Windows(window, options),
);

class Windows implements ChunkSource {
  readonly #window: TextWindow;
  readonly #sentences: ChunkSource;
  readonly #numBeside: number;
  /** Sentences that may still be beside one; the next to give is at `#at`. */
  #held: Chunk[] = [];
  #at = 0;

  constructor(window: TextWindow, options: SentenceWindowOptions) {
    const { windowSentences = 3 } = options;
    if (!Number.isSafeInteger(windowSentences) || windowSentences < 0) {
      throw new ConfigError(`chunk: windowSentences must be a whole number of at least 0, not ${windowSentences}`);
    }
    this.#window = window;
    this.#sentences = packUnits(window, proseUnits(window, options), singleSentenceBreaks, options);
    this.#numBeside = windowSentences;
  }

  next(): Chunk | undefined {
    while (this.#held.length <= this.#at + this.#numBeside) {
      const sentence = this.#sentences.next();
      if (sentence !== undefined) this.#held.push(sentence);
      else if (this.#window.isComplete) break;
      else return undefined;
    }
    const chunk = this.#held[this.#at];
    if (chunk === undefined) return undefined;
    const parent = { start: this.#beside(chunk, -1).start, end: this.#beside(chunk, 1).end };
    if (this.#at === this.#numBeside) this.#held.shift();
    else this.#at++;
    return { ...chunk, parent };
  }

  /** The furthest of the sentences on one side that stand in the chunk's section. */
  #beside(chunk: Chunk, step: 1 | -1): Chunk {
    let last = chunk;
    for (let i = 1; i <= this.#numBeside; i++) {
      const next = this.#held[this.#at + step * i];
      if (next === undefined || next.headingPath !== chunk.headingPath) break;
      last = next;
    }
    return last;
  }
}
