/** @file One sequence of a paged cache: the blocks that its tokens lie in. */

import { assert } from "../../base/errors.js";
import type { Block, BlockPool, Match } from "./block-pool.js";
import type { CachedSequence } from "./cache.js";

export class PagedSequence implements CachedSequence {
  readonly blocks: Block[];
  #length: number;

  constructor(
    private readonly pool: BlockPool,
    /** Serial that stands before the first block. */
    private readonly root: number,
    { blocks, count }: Match,
    /** Copies the first `count` rows of a block to another. */
    private readonly copyRows: (from: Block, to: Block, count: number) => void,
  ) {
    for (const block of blocks) pool.hold(block);
    this.blocks = [...blocks];
    this.#length = count;
  }

  get length(): number {
    return this.#length;
  }

  get nextPosition(): number {
    return this.#length;
  }

  reserve(length: number): boolean {
    const more = Math.ceil(length / this.pool.blockTokens) - this.blocks.length;
    const isCopied = this.#mustCopy();
    if (Math.max(0, more) + Number(isCopied) > this.pool.available) return false;
    if (length > this.#length) this.#makeWritable(isCopied);
    for (let i = 0; i < more; i++) this.blocks.push(this.pool.take(this.blocks.at(-1)?.serial ?? this.root, this));
    return true;
  }

  /** Rows of `ids` were written. */
  append(ids: readonly number[]): void {
    for (const id of ids) this.blocks[Math.floor(this.#length++ / this.pool.blockTokens)]!.ids.push(id);
  }

  truncate(length: number): void {
    assert(length >= 0 && length <= this.#length, "a sequence is cut back to a part of itself");
    this.#length = length;
    const numBlocks = Math.ceil(length / this.pool.blockTokens);
    for (const block of this.blocks.splice(numBlocks).reverse()) this.pool.release(block, this);
    const last = this.blocks.at(-1);
    const count = this.#openRows();
    if (count > 0 && last) this.pool.cut(last, count, this);
  }

  close(): void {
    // from the end, so that the start of a text, which more texts share, is kept longest
    for (const block of this.blocks.splice(0).reverse()) this.pool.release(block, this);
  }

  /** Rows of the last block that are this sequence's, where the block is not full of them. */
  #openRows(): number {
    return this.#length % this.pool.blockTokens;
  }

  /** Whether the block that the next token goes to is shared. */
  #mustCopy(): boolean {
    const block = this.blocks[Math.floor(this.#length / this.pool.blockTokens)];
    if (this.#openRows() === 0 || !block) return false;
    return block.owner !== this && (block.numHolders > 1 || block.owner !== undefined);
  }

  #makeWritable(isCopied: boolean): void {
    const at = Math.floor(this.#length / this.pool.blockTokens);
    const block = this.blocks[at];
    const count = this.#openRows();
    if (count === 0 || !block || block.owner === this) return;
    if (!isCopied) {
      this.pool.own(block, count, this);
      return;
    }
    const copy = this.pool.take(block.parent, this);
    this.copyRows(block, copy, count);
    copy.ids = block.ids.slice(0, count);
    this.blocks[at] = copy;
    this.pool.release(block, this);
  }
}
