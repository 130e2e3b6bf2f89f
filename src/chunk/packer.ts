/** @file Makes chunks out of units and holds them to the token limit. */
import type { Chunk, ChunkOptions } from "./chunk.js";
import type { ChunkBreaks } from "./chunk-breaks.js";
import { isContinued, OverlapSearch, type Start } from "./overlap.js";
import type { TextWindow } from "./text-window.js";
import type { UnitQueue } from "./unit-queue.js";
import type { Unit } from "./units.js";

/** Where a chunk begins, repeated text included, and the index of the unit that it no longer holds. */
interface Plan extends Start {
  readonly end: number;
}

/** A chunk and the units that it is made of; the first may begin before it. */
export interface Run {
  readonly chunk: Chunk;
  readonly units: readonly Unit[];
}

export class Packer {
  readonly #window: TextWindow;
  readonly #queue: UnitQueue;
  readonly #breaks: ChunkBreaks;
  readonly #maxTokens: number;
  readonly #overlapTokens: number;
  /** Index of the first unit that is in no chunk yet; those before it are kept to be repeated. */
  #first = 0;
  #lastStart = -1;

  constructor(window: TextWindow, queue: UnitQueue, breaks: ChunkBreaks, options: ChunkOptions) {
    this.#window = window;
    this.#queue = queue;
    this.#breaks = breaks;
    this.#maxTokens = options.maxTokens;
    this.#overlapTokens = options.overlapTokens ?? 0;
  }

  /** The next chunk; undefined at the end of the text, or while the stream has not brought what decides its end. */
  next(): Chunk | undefined {
    return this.nextRun()?.chunk;
  }

  /** As `next`, with the chunk's units. */
  nextRun(): Run | undefined {
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
    const end = this.#breaks.end(this.#queue, first, room, this.#maxTokens);
    if (!isRepeating || this.#queue.isStarved) return { position: this.#queue.at(first).start, unit: first, end };
    const limits = { overlapTokens, maxTokens, after: this.#lastStart };
    const { position, unit } = new OverlapSearch(this.#queue, this.#window, first, end, limits).start();
    return { position, unit, end };
  }

  /** Overlap gives way to what should stay whole. */
  #roomBesideOverlap(maxTokens: number, overlapTokens: number): number {
    const whole = this.#breaks.wholeTokens?.(this.#queue, this.#first) ?? 0;
    return Math.min(maxTokens, Math.max(maxTokens - overlapTokens, whole));
  }

  #take({ position, unit, end }: Plan, numTokens: number): Run {
    const { text, base } = this.#window;
    const chunk: Chunk = {
      start: position,
      end: this.#queue.at(end - 1).end,
      text: text.slice(position - base, this.#queue.at(end - 1).end - base),
      headingPath: this.#queue.at(unit).section.path,
      numTokens,
    };
    const units = this.#queue.units(unit, end);
    this.#lastStart = position;
    this.#first = end;
    this.#drop(this.#firstRepeatable(unit, end));
    return { chunk, units };
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
