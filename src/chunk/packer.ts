/** @file Makes chunks out of units and holds them to the token limit. */
import { chunkEnd } from "./breaks.js";
import type { Chunk, ChunkOptions } from "./chunk.js";
import { isContinued, OverlapSearch, type Start } from "./overlap.js";
import type { TextWindow } from "./text-window.js";
import type { UnitQueue } from "./unit-queue.js";

/** How full a chunk must be, as a share of `maxTokens`, to end early for the sake of structure. */
const MIN_FILL = 0.25;

/** Where a chunk begins, repeated text included, and the index of the unit that it no longer holds. */
interface Plan extends Start {
  readonly end: number;
}

export class Packer {
  readonly #window: TextWindow;
  readonly #queue: UnitQueue;
  readonly #maxTokens: number;
  readonly #overlapTokens: number;
  /** Index of the first unit that is in no chunk yet; those before it are kept to be repeated. */
  #first = 0;
  #lastStart = -1;

  constructor(window: TextWindow, queue: UnitQueue, options: ChunkOptions) {
    this.#window = window;
    this.#queue = queue;
    this.#maxTokens = options.maxTokens;
    this.#overlapTokens = options.overlapTokens ?? 0;
  }

  /** The next chunk; undefined at the end of the text, or while the stream has not brought what decides its end. */
  next(): Chunk | undefined {
    this.#queue.isStarved = false;
    let maxTokens = this.#maxTokens;
    let overlapTokens = this.#overlapTokens;
    while (this.#queue.has(this.#first)) {
      const plan = this.#plan(maxTokens, overlapTokens);
      if (this.#queue.isStarved) return undefined;
      const numTokens = this.#queue.exactTokensFrom(plan.position, plan.unit, plan.end);
      if (numTokens <= this.#maxTokens) return this.#take(plan, numTokens);
      // counts that do not add up: the next try holds less
      if (plan.unit < this.#first) overlapTokens = 0;
      else if (plan.end === this.#first + 1) this.#queue.split(this.#first);
      else maxTokens = Math.min(this.#queue.tokens(plan.unit, plan.end) - 1, (maxTokens * this.#maxTokens) / numTokens);
    }
    this.#drop(this.#queue.isPastGap ? this.#first : 0);
    return undefined;
  }

  #plan(maxTokens: number, overlapTokens: number): Plan {
    const first = this.#first;
    const isRepeating = overlapTokens > 0 && first > 0 && isContinued(this.#queue.at(first));
    const room = isRepeating ? this.#roomBesideOverlap(maxTokens, overlapTokens) : maxTokens;
    const end = chunkEnd(this.#queue, first, room, this.#maxTokens * MIN_FILL);
    if (!isRepeating || this.#queue.isStarved) return { position: this.#queue.at(first).start, unit: first, end };
    const limits = { overlapTokens, maxTokens, after: this.#lastStart };
    const { position, unit } = new OverlapSearch(this.#queue, this.#window, first, end, limits).start();
    return { position, unit, end };
  }

  /** A block that fits a chunk stays whole: overlap gives way to it. */
  #roomBesideOverlap(maxTokens: number, overlapTokens: number): number {
    const elementEnd = this.#queue.elementEnd(this.#first);
    const element = elementEnd < 0 ? 0 : this.#queue.tokens(this.#first, elementEnd);
    return Math.min(maxTokens, Math.max(maxTokens - overlapTokens, element));
  }

  #take({ position, unit, end }: Plan, numTokens: number): Chunk {
    const { text, base } = this.#window;
    const chunk: Chunk = {
      start: position,
      end: this.#queue.at(end - 1).end,
      text: text.slice(position - base, this.#queue.at(end - 1).end - base),
      headingPath: this.#queue.at(unit).section.path,
      numTokens,
    };
    this.#lastStart = position;
    this.#first = end;
    this.#drop(this.#firstRepeatable(unit, end));
    return chunk;
  }

  #drop(count: number): void {
    this.#queue.drop(count);
    this.#first -= count;
  }

  /** Index of the first unit of the chunk that the next one may repeat, in whole or from a word on. */
  #firstRepeatable(first: number, end: number): number {
    let i = end;
    while (i > first && this.#overlapTokens > 0 && (i === end || this.#queue.tokens(i, end) <= this.#overlapTokens))
      i--;
    return i;
  }
}
