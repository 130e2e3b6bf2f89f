/** @file Chunkers that read a text once, in memory or from a stream: one machine, fed in two ways. */
import { ConfigError } from "../base/errors.js";
import type { Chunk, ChunkerDef, ChunkOptions } from "./chunk.js";
import type { ChunkBreaks } from "./chunk-breaks.js";
import type { LineReader } from "./lines.js";
import { MarkdownLines } from "./markdown-lines.js";
import { Packer } from "./packer.js";
import { PlainLines } from "./plain-lines.js";
import { TextWindow } from "./text-window.js";
import { UnitQueue } from "./unit-queue.js";
import { UnitScanner } from "./unit-scanner.js";
import type { UnitSource } from "./units.js";

/** Gives the chunks of what a window shows, one after the other. */
export interface ChunkSource {
  /** The next chunk; undefined at the end of the text, or while the stream has not brought what decides its end. */
  next(): Chunk | undefined;
}

/** A chunker out of the machine that it runs on a window. The machine decides the same whatever the window shows beyond. */
export function streamed<Options extends ChunkOptions>(
  name: string,
  sourceOf: (window: TextWindow, options: Options) => ChunkSource,
): ChunkerDef<Options> {
  return {
    name,
    unit: "tokens",
    *chunk(text, options) {
      checkSizes(options);
      yield* drain(sourceOf(TextWindow.of(text), options));
    },
    async *chunkStream(stream, options) {
      checkSizes(options);
      const window = new TextWindow();
      const source = sourceOf(window, options);
      for await (const piece of stream) {
        if (window.append(piece)) yield* drain(source);
      }
      window.complete();
      yield* drain(source);
    },
  };
}

function* drain(source: ChunkSource): Generator<Chunk> {
  for (let next = source.next(); next !== undefined; next = source.next()) yield next;
}

/** @throws ConfigError if `maxTokens` or `overlapTokens` is out of range. */
export function checkSizes({ maxTokens, overlapTokens = 0 }: ChunkOptions): void {
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1) {
    throw new ConfigError(`chunk: maxTokens must be a whole number of at least 1, not ${maxTokens}`);
  }
  if (!Number.isSafeInteger(overlapTokens) || overlapTokens < 0 || overlapTokens >= maxTokens) {
    throw new ConfigError(
      `chunk: overlapTokens must be a whole number from 0 to below maxTokens (${maxTokens}), not ${overlapTokens}`,
    );
  }
}

/** How prose is written. */
export interface FormatOptions {
  /** Default "markdown", which reads text without markup as paragraphs. */
  readonly format?: "markdown" | "plain";
}

/** The sentences and lines of prose. */
export function proseUnits(window: TextWindow, { format }: FormatOptions): UnitSource {
  const lines: LineReader = format === "plain" ? new PlainLines() : new MarkdownLines();
  return new UnitScanner(window, lines);
}

/** A packer of the units that a source finds in a window. */
export function packUnits(window: TextWindow, source: UnitSource, breaks: ChunkBreaks, options: ChunkOptions): Packer {
  return new Packer(window, new UnitQueue(window, source, options.counter, options.maxTokens), breaks, options);
}
