/** @file Blocks of a paged cache: who holds which, what they contain, and which can be had. */

import { assert } from "../../base/errors.js";

/** A block of `blockTokens` rows. */
export interface Block {
  /** Its place in memory. */
  readonly index: number;
  /** Changes with the contents; names this block as the parent of those that follow it. */
  serial: number;
  /** Serial of the block before it in its text. */
  parent: number;
  /** Tokens whose rows it has. */
  ids: number[];
  /** Sequences that hold it. */
  numHolders: number;
  /** Who may write the rows that are not yet there. */
  owner: object | undefined;
}

/** Start of a text: blocks and how many of their tokens it begins with. */
export interface Match {
  readonly blocks: readonly Block[];
  readonly count: number;
}

/**
 * Blocks with counts of their holders (PagedAttention, Kwon et al. 2023, arXiv:2309.06180, section 4). Blocks that nobody
 * holds keep their contents for texts that begin alike, until memory is needed: those go first that were left first.
 */
export class BlockPool {
  readonly #free: Block[];
  /** Not held, but with contents; the first was left first. */
  readonly #idle = new Set<Block>();
  readonly #byParent = new Map<number, Set<Block>>();
  readonly #blocks: readonly Block[];
  #nextSerial = 0;

  constructor(
    numBlocks: number,
    readonly blockTokens: number,
  ) {
    this.#blocks = Array.from({ length: numBlocks }, (_, index) => ({
      index,
      serial: 0,
      parent: 0,
      ids: [],
      numHolders: 0,
      owner: undefined,
    }));
    this.#free = [...this.#blocks].reverse();
  }

  get numBlocks(): number {
    return this.#blocks.length;
  }

  /** Blocks that can be taken. */
  get available(): number {
    return this.#free.length + this.#idle.size;
  }

  /** Tokens in blocks that are held, each block counted once. */
  get heldTokens(): number {
    return this.#blocks.reduce((sum, { numHolders, ids }) => (numHolders > 0 ? sum + ids.length : sum), 0);
  }

  /** The longest known start of `text`, of at most `limit` tokens. `root` names what texts have in common before it. */
  match(text: readonly number[], limit: number, root: number): Match {
    const blocks: Block[] = [];
    let [count, parent] = [0, root];
    while (count < limit) {
      const [block, length] = this.#bestChild(parent, text, count, limit);
      if (!block) break;
      blocks.push(block);
      count += length;
      parent = block.serial;
      if (length < this.blockTokens) break;
    }
    return { blocks, count };
  }

  /** How many blocks of a match nobody holds. */
  countIdle(blocks: readonly Block[]): number {
    return blocks.filter(({ numHolders }) => numHolders === 0).length;
  }

  /** An empty block to write to, held once. There must be one available. */
  take(parent: number, owner: object): Block {
    const block = this.#free.pop() ?? this.#evict();
    Object.assign(block, { serial: ++this.#nextSerial, parent, ids: [], numHolders: 1, owner });
    const siblings = this.#byParent.get(parent) ?? new Set();
    siblings.add(block);
    this.#byParent.set(parent, siblings);
    return block;
  }

  hold(block: Block): void {
    if (block.numHolders++ === 0) this.#idle.delete(block);
  }

  /** Lets go of a block; `holder` no longer writes to it. */
  release(block: Block, holder: object): void {
    assert(block.numHolders > 0, "a block that is released was held");
    if (block.owner === holder) block.owner = undefined;
    if (--block.numHolders > 0) return;
    if (block.ids.length > 0) this.#idle.add(block);
    else {
      this.#forget(block);
      this.#free.push(block);
    }
  }

  /** Makes the only holder of a block the one who writes to it from row `count` on. */
  own(block: Block, count: number, owner: object): void {
    assert(block.numHolders === 1 && block.owner === undefined, "a block with one holder and no writer");
    this.#forgetFrom(block, count);
    block.owner = owner;
  }

  /** Its writer forgets a block's rows from `count` on. Where others hold it they may read those: then it writes no more. */
  cut(block: Block, count: number, owner: object): void {
    if (block.owner !== owner) return;
    if (block.numHolders === 1) this.#forgetFrom(block, count);
    else if (count < block.ids.length) block.owner = undefined;
  }

  /** What followed the old contents is no longer found through the block. */
  #forgetFrom(block: Block, count: number): void {
    if (count >= block.ids.length) return;
    block.ids.length = count;
    block.serial = ++this.#nextSerial;
  }

  #evict(): Block {
    const [block] = this.#idle;
    assert(block, "a block is available");
    this.#idle.delete(block);
    this.#forget(block);
    return block;
  }

  #forget(block: Block): void {
    const siblings = this.#byParent.get(block.parent);
    siblings?.delete(block);
    if (siblings?.size === 0) this.#byParent.delete(block.parent);
  }

  /** The block after `parent` that has most of the text from `start` on. */
  #bestChild(
    parent: number,
    text: readonly number[],
    start: number,
    limit: number,
  ): readonly [Block | undefined, number] {
    let [best, most]: [Block | undefined, number] = [undefined, 0];
    for (const block of this.#byParent.get(parent) ?? []) {
      const end = Math.min(block.ids.length, limit - start);
      let length = 0;
      while (length < end && block.ids[length] === text[start + length]) length++;
      if (length > most) [best, most] = [block, length];
    }
    return [best, most];
  }
}
