/** @file The structure-aware chunker: sections, blocks, lines, sentences, words, graphemes; the largest that fits. */
import { ConfigError } from "../base/errors.js";
import type { Chunk, ChunkerDef, ChunkOptions } from "./chunk.js";
import { MarkdownLines } from "./markdown-lines.js";
import { Packer } from "./packer.js";
import { PlainLines } from "./plain-lines.js";
import { TextWindow } from "./text-window.js";
import { UnitQueue } from "./unit-queue.js";
import { UnitScanner } from "./unit-scanner.js";

export interface RecursiveOptions extends ChunkOptions {
  /** How the text is written. Default "markdown", which reads text without markup as paragraphs. */
  readonly format?: "markdown" | "plain";
}

/**
 * Cuts Markdown or plain text where its structure is strongest: sections and blocks stay whole when they fit, small
 * neighbours share a chunk, and what is too large is cut between lines, sentences, words and at last graphemes.
 * A grapheme of more than `maxTokens` is cut between its code points.
 * Text is read once, each part of it is counted once where counts add up, and no decision looks further than two
 * chunks ahead: the stream gives the same chunks, in memory that depends on `maxTokens` only.
 * @throws ConfigError if `maxTokens` or `overlapTokens` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const recursive: ChunkerDef<RecursiveOptions> = { name: "recursive", unit: "tokens", chunk, chunkStream };

function* chunk(text: string, options: RecursiveOptions): Generator<Chunk> {
  yield* drain(packerOf(TextWindow.of(text), options));
}

async function* chunkStream(source: AsyncIterable<string>, options: RecursiveOptions): AsyncGenerator<Chunk> {
  const window = new TextWindow();
  const packer = packerOf(window, options);
  for await (const piece of source) {
    if (window.append(piece)) yield* drain(packer);
  }
  window.complete();
  yield* drain(packer);
}

function* drain(packer: Packer): Generator<Chunk> {
  for (let next = packer.next(); next !== undefined; next = packer.next()) yield next;
}

function packerOf(window: TextWindow, options: RecursiveOptions): Packer {
  checkSizes(options);
  const lines = options.format === "plain" ? new PlainLines() : new MarkdownLines();
  const queue = new UnitQueue(window, new UnitScanner(window, lines), options.counter, options.maxTokens);
  return new Packer(window, queue, options);
}

function checkSizes({ maxTokens, overlapTokens = 0 }: ChunkOptions): void {
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1) {
    throw new ConfigError(`chunk: maxTokens must be a whole number of at least 1, not ${maxTokens}`);
  }
  if (!Number.isSafeInteger(overlapTokens) || overlapTokens < 0 || overlapTokens >= maxTokens) {
    throw new ConfigError(
      `chunk: overlapTokens must be a whole number from 0 to below maxTokens (${maxTokens}), not ${overlapTokens}`,
    );
  }
}
