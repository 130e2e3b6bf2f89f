import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { type Block, BlockPool } from "./block-pool.js";
import { PagedSequence } from "./paged-sequence.js";

/** A paged cache whose rows are texts: each the whole text up to its token, as keys and values are functions of it. */
class TextCache {
  readonly pool: BlockPool;
  readonly #rows: (string | undefined)[][];

  constructor(
    numBlocks: number,
    readonly blockTokens: number,
  ) {
    this.pool = new BlockPool(numBlocks, blockTokens);
    this.#rows = Array.from({ length: numBlocks }, () => []);
  }

  open(text: readonly number[]): PagedSequence {
    const copy = (from: Block, to: Block, count: number): void => {
      this.#rows[to.index] = this.#rows[from.index]!.slice(0, count);
    };
    return new PagedSequence(this.pool, -1, this.pool.match(text, text.length - 1, -1), copy);
  }

  write(sequence: PagedSequence, text: readonly number[], count: number): void {
    const start = sequence.length;
    for (let at = start; at < start + count; at++) {
      const block = sequence.blocks[Math.floor(at / this.blockTokens)]!;
      this.#rows[block.index]![at % this.blockTokens] = text.slice(0, at + 1).join();
    }
    sequence.append(text.slice(start, start + count));
  }

  read(sequence: PagedSequence): (string | undefined)[] {
    return Array.from({ length: sequence.length }, (_, at) => {
      const block = sequence.blocks[Math.floor(at / this.blockTokens)]!;
      return this.#rows[block.index]![at % this.blockTokens];
    });
  }
}

const prefixes = (text: readonly number[]): string[] => text.map((_, at) => text.slice(0, at + 1).join());

describe("paged sequences", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("read what they would have written alone, and leave no block (seed %i)", (seed) => {
    const rng = new Rng(seed);
    const blockTokens = 1 + rng.below(5);
    const cache = new TextCache(8 + rng.below(16), blockTokens);
    const open: { text: number[]; sequence: PagedSequence }[] = [];
    let shared = 0;
    for (let turn = 0; turn < 600; turn++) {
      const chosen = open[rng.below(open.length)];
      const action = rng.below(10);
      if (action === 0 || !chosen) {
        // few tokens, so that many texts begin alike
        const text = Array.from({ length: 1 + rng.below(12) }, () => rng.below(2));
        const sequence = cache.open(text);
        shared += sequence.length;
        open.push({ text, sequence });
      } else if (action === 1) {
        chosen.sequence.close();
        open.splice(open.indexOf(chosen), 1);
      } else if (action <= 3) {
        // goes on otherwise, as after tokens that were refused
        const { text, sequence } = chosen;
        sequence.truncate(rng.below(sequence.length + 1));
        text.length = Math.max(1, sequence.length);
      } else {
        const { text, sequence } = chosen;
        if (sequence.length === text.length) text.push(rng.below(2));
        const count = 1 + rng.below(text.length - sequence.length);
        const available = cache.pool.available;
        if (sequence.reserve(sequence.length + count)) cache.write(sequence, text, count);
        else expect(cache.pool.available).toBe(available);
      }
      for (const { text, sequence } of open)
        expect(cache.read(sequence)).toEqual(prefixes(text.slice(0, sequence.length)));
    }
    expect(shared).toBeGreaterThan(50);
    for (const { sequence } of open) sequence.close();
    expect(cache.pool.available).toBe(cache.pool.numBlocks);
  });

  it("cut back give up blocks, and write no row that another reads", () => {
    const cache = new TextCache(4, 4);
    const text = [1, 2, 3, 4, 5, 6];
    const first = cache.open(text);
    expect(first.reserve(12)).toBe(true);
    cache.write(first, text, 6);
    first.truncate(5);
    expect([first.length, cache.pool.available]).toEqual([5, 2]);
    const second = cache.open([1, 2, 3, 4, 5, 7]);
    expect([second.length, second.blocks[1] === first.blocks[1]]).toEqual([5, true]);
    first.truncate(3);
    expect(first.reserve(4)).toBe(true);
    cache.write(first, [1, 2, 3, 9], 1);
    expect(cache.read(second)).toEqual(prefixes([1, 2, 3, 4, 5]));
    // what was forgotten is not found by later texts
    first.close();
    expect(cache.open([1, 2, 3, 9, 5, 6]).length).toBe(4);
  });

  it("share a block until one of them writes to it", () => {
    const cache = new TextCache(4, 4);
    const first = cache.open([1, 2, 3]);
    expect(first.reserve(3)).toBe(true);
    cache.write(first, [1, 2, 3], 3);
    const second = cache.open([1, 2, 9, 9]);
    expect([second.length, second.blocks[0] === first.blocks[0], cache.pool.available]).toEqual([2, true, 3]);
    expect(second.reserve(4)).toBe(true);
    expect([second.blocks[0] === first.blocks[0], cache.pool.available]).toEqual([false, 2]);
    // who began the block goes on in place
    expect(first.reserve(4)).toBe(true);
    expect(cache.pool.available).toBe(2);
  });

  it("evict what was left first, the end of a text before its start", () => {
    const cache = new TextCache(3, 2);
    const text = [1, 2, 3, 4, 5, 6];
    const first = cache.open(text);
    expect(first.reserve(6)).toBe(true);
    cache.write(first, text, 6);
    first.close();
    const other = cache.open([9, 9]);
    expect([other.reserve(2), other.length]).toEqual([true, 0]);
    expect(cache.open(text).length).toBe(4);
  });
});
