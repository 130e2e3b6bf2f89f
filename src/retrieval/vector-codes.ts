/** @file The codes of an index's vectors: one bit per component to scan all, one byte to look closer, from memory. */
import { slotsPerBlock } from "./bm25.js";
import { ByteCodes, type BytePage, slotsPerPage } from "./byte-codes.js";
import { type CodeBlock, OneBitCodes } from "./one-bit-codes.js";
import { type Scored, TopK } from "./top-k.js";

/** Slots whose bounds are highest are looked at first, so that the search knows early what it takes to get in. */
const numSeeds = 64;

/** More than are asked for, because one-byte codes may confuse neighbours: so many, or half as many as are asked for. */
const leastSpare = 16;

/** All codes of an index. */
export interface StoredCodes {
  readonly blocks: ReadonlyMap<number, CodeBlock>;
  readonly pages: ReadonlyMap<number, BytePage>;
}

export class VectorCodes {
  readonly oneBit: OneBitCodes;
  readonly bytes: ByteCodes;

  constructor(readonly dimension: number) {
    this.oneBit = new OneBitCodes(dimension);
    this.bytes = new ByteCodes(dimension);
  }

  /**
   * Slots among which the best `limit` for a unit vector are, in nearly all cases; a few more than that.
   * @param accepts whether a slot may be found.
   * @returns approximate scores, best first.
   */
  candidates(
    vector: Float32Array,
    limit: number,
    { blocks, pages }: StoredCodes,
    accepts: (slot: number) => boolean,
  ): Scored[] {
    const bounds = this.#bounds(vector, blocks, accepts);
    const similarity = (slot: number): number =>
      this.bytes.innerProduct(pages.get(Math.floor(slot / slotsPerPage))!, slot % slotsPerPage, vector);
    const best = new TopK(limit + Math.max(leastSpare, limit >> 1));
    const seeds = new TopK(numSeeds);
    for (const [block, of] of bounds) {
      for (let i = 0; i < slotsPerBlock; i++) {
        if (of[i]! > seeds.threshold) seeds.push(block * slotsPerBlock + i, of[i]!);
      }
    }
    for (const { key: slot } of seeds.sorted()) {
      best.push(slot, similarity(slot));
      // not to be looked at again below
      bounds.get(Math.floor(slot / slotsPerBlock))![slot % slotsPerBlock] = Number.NEGATIVE_INFINITY;
    }
    for (const [block, of] of bounds) {
      for (let i = 0; i < slotsPerBlock; i++) {
        if (of[i]! === Number.NEGATIVE_INFINITY || of[i]! < best.threshold) continue;
        const slot = block * slotsPerBlock + i;
        best.push(slot, similarity(slot));
      }
    }
    return best.sorted();
  }

  /** Whether every block of vectors has pages of the other codes. */
  areWhole({ blocks, pages }: StoredCodes): boolean {
    return [...blocks].every(([block, { scales }]) => {
      for (let start = 0; start < slotsPerBlock; start += slotsPerPage) {
        if (pages.has((block * slotsPerBlock + start) / slotsPerPage)) continue;
        if (scales.subarray(start, start + slotsPerPage).some((scale) => scale !== 0)) return false;
      }
      return true;
    });
  }

  /** What the vector in each slot can score at most, by block; -Infinity where it may not be found. */
  #bounds(
    vector: Float32Array,
    blocks: ReadonlyMap<number, CodeBlock>,
    accepts: (slot: number) => boolean,
  ): Map<number, Float32Array> {
    const fillBounds = this.oneBit.bounds(vector);
    return new Map(
      Array.from(blocks, ([block, codes]) => {
        const bounds = new Float32Array(slotsPerBlock);
        fillBounds(codes, bounds);
        for (let i = 0; i < slotsPerBlock; i++) {
          if (bounds[i]! > Number.NEGATIVE_INFINITY && !accepts(block * slotsPerBlock + i)) {
            bounds[i] = Number.NEGATIVE_INFINITY;
          }
        }
        return [block, bounds];
      }),
    );
  }
}
