/** @file The codes of an index's vectors: one bit per component to scan all, one byte to look closer, from memory. */
import { slotsPerBlock } from "./bm25.js";
import { ByteCodes, type BytePage, slotsPerPage } from "./byte-codes.js";
import { OneBitCodes, type ScanBlock } from "./one-bit-codes.js";
import { type Scored, TopK } from "./top-k.js";

/**
 * Slots whose bounds are highest are looked at first, so that the search knows early what it takes to get in: so many for
 * each that is kept. Fewer than are kept would say nothing.
 */
const seedsPerKept = 4;

/** More than are asked for, because one-byte codes may confuse neighbours: so many, or half as many as are asked for. */
const leastSpare = 16;

/** All codes of an index. */
export interface StoredCodes {
  readonly blocks: ReadonlyMap<number, ScanBlock>;
  readonly pages: ReadonlyMap<number, BytePage>;
}

export class VectorCodes {
  readonly oneBit: OneBitCodes;
  readonly bytes: ByteCodes;
  /** Kept from one search to the next, because a new one for each is work for the garbage collector. */
  #bounds = new Float32Array();

  constructor(readonly dimension: number) {
    this.oneBit = new OneBitCodes(dimension);
    this.bytes = new ByteCodes(dimension);
  }

  /**
   * Slots among which the best `limit` for a unit vector are, in nearly all cases; a few more than that.
   * @param accepts whether a slot may be found. Default: every one.
   * @returns approximate scores, best first.
   */
  candidates(
    vector: Float32Array,
    limit: number,
    { blocks, pages }: StoredCodes,
    accepts?: (slot: number) => boolean,
  ): Scored[] {
    const numbers = [...blocks.keys()];
    const slotAt = (i: number): number => numbers[Math.floor(i / slotsPerBlock)]! * slotsPerBlock + (i % slotsPerBlock);
    const bounds = this.#fillBounds(vector, blocks);
    if (accepts !== undefined) {
      for (let i = 0; i < bounds.length; i++) {
        if (bounds[i] !== Number.NEGATIVE_INFINITY && !accepts(slotAt(i))) bounds[i] = Number.NEGATIVE_INFINITY;
      }
    }
    const numKept = limit + Math.max(leastSpare, limit >> 1);
    const best = new TopK(numKept);
    const comparison = this.bytes.compare(vector, (slot, similarity) => best.push(slot, similarity));
    const compare = (i: number): void => {
      const slot = slotAt(i);
      comparison.add(slot, pages.get(Math.floor(slot / slotsPerPage))!, slot % slotsPerPage);
    };
    for (const i of highest(bounds, seedsPerKept * numKept)) {
      compare(i);
      // not to be looked at again below
      bounds[i] = Number.NEGATIVE_INFINITY;
    }
    comparison.flush();
    let { threshold } = best;
    for (let i = 0; i < bounds.length; i++) {
      if (bounds[i]! < threshold || bounds[i] === Number.NEGATIVE_INFINITY) continue;
      compare(i);
      threshold = best.threshold;
    }
    comparison.flush();
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

  /** What the vector in each slot can score at most, block after block; -Infinity where there is none. Valid until the next call. */
  #fillBounds(vector: Float32Array, blocks: ReadonlyMap<number, ScanBlock>): Float32Array {
    const length = blocks.size * slotsPerBlock;
    if (this.#bounds.length !== length) this.#bounds = new Float32Array(length);
    const fill = this.oneBit.bounds(vector);
    let start = 0;
    for (const codes of blocks.values()) {
      fill(codes, this.#bounds.subarray(start, start + slotsPerBlock));
      start += slotsPerBlock;
    }
    return this.#bounds;
  }
}

/** Places of the highest values above -Infinity. */
function highest(values: Float32Array, count: number): number[] {
  const best = new TopK(count);
  let { threshold } = best;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! <= threshold) continue;
    best.push(i, values[i]!);
    threshold = best.threshold;
  }
  return best.sorted().map(({ key }) => key);
}
