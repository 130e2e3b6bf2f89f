/** @file Small chunks to be found, inside large ones to be read. */
import { ConfigError } from "../base/errors.js";
import type { Chunk, ChunkerDef, ChunkOptions } from "./chunk.js";
import type { Packer, Run } from "./packer.js";
import { type ChunkSource, type FormatOptions, packUnits, proseUnits, streamed } from "./streamed.js";
import { structureBreaks } from "./structure-breaks.js";
import { TextWindow } from "./text-window.js";
import { ListedUnits } from "./units.js";

export interface ParentChildOptions extends ChunkOptions, FormatOptions {
  /** No parent is larger; at least `maxTokens`. Default four times that. */
  readonly parentTokens?: number;
}

/**
 * Chunks as `recursive` cuts them, inside of parents that it cuts as well: no chunk reaches over the edge of its parent,
 * and overlap stays within it.
 * @throws ConfigError if `maxTokens`, `overlapTokens` or `parentTokens` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const parentChild: ChunkerDef<ParentChildOptions> = streamed(
  "parent-child",
  (window, options) => new Children(window, options),
);

class Children implements ChunkSource {
  readonly #options: ParentChildOptions;
  readonly #parents: Packer;
  #parent: Chunk | undefined;
  #children: Packer | undefined;

  constructor(window: TextWindow, options: ParentChildOptions) {
    const { counter, maxTokens, parentTokens = 4 * maxTokens } = options;
    if (!Number.isSafeInteger(parentTokens) || parentTokens < maxTokens) {
      throw new ConfigError(
        `chunk: parentTokens must be a whole number of at least maxTokens (${maxTokens}), not ${parentTokens}`,
      );
    }
    this.#options = options;
    this.#parents = packUnits(window, proseUnits(window, options), structureBreaks, {
      counter,
      maxTokens: parentTokens,
    });
  }

  next(): Chunk | undefined {
    for (;;) {
      const child = this.#children?.next();
      if (child !== undefined && this.#parent !== undefined) {
        const { start, end } = this.#parent;
        return { ...child, parent: { start, end } };
      }
      const run = this.#parents.nextRun();
      if (run === undefined) return undefined;
      this.#open(run);
    }
  }

  #open({ chunk, units }: Run): void {
    const window = TextWindow.of(chunk.text, chunk.start);
    this.#parent = chunk;
    this.#children = packUnits(window, new ListedUnits(units), structureBreaks, this.#options);
  }
}
