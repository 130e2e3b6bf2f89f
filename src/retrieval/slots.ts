/** @file Which slots of an index are taken, and how long the chunk in each is. */
import { type BlockLengths, slotsPerBlock } from "./bm25.js";

/** Lengths of all chunks. A length of 0 marks a free slot, so a taken slot has a length of at least 1. */
export class SlotTable {
  readonly #blocks: Map<number, Uint32Array>;
  readonly #changed = new Set<number>();
  /** No slot below is free. */
  #firstFree = 0;

  constructor(blocks: BlockLengths) {
    this.#blocks = new Map(blocks);
  }

  /** Takes the first free slot, so that an index stays as dense as it was however often it changes. */
  take(length: number): number {
    while (this.#lengthOf(this.#firstFree) !== 0) this.#firstFree++;
    this.#set(this.#firstFree, Math.max(1, length));
    return this.#firstFree;
  }

  free(slot: number): void {
    this.#set(slot, 0);
    this.#firstFree = Math.min(this.#firstFree, slot);
  }

  /** Blocks that changed, with the lengths of all their slots. */
  changedBlocks(): [block: number, lengths: Uint32Array][] {
    return [...this.#changed].map((block) => [block, this.#blocks.get(block)!]);
  }

  #lengthOf(slot: number): number {
    return this.#blocks.get(Math.floor(slot / slotsPerBlock))?.[slot % slotsPerBlock] ?? 0;
  }

  #set(slot: number, length: number): void {
    const block = Math.floor(slot / slotsPerBlock);
    const lengths = this.#blocks.get(block) ?? new Uint32Array(slotsPerBlock);
    lengths[slot % slotsPerBlock] = length;
    this.#blocks.set(block, lengths);
    this.#changed.add(block);
  }
}
