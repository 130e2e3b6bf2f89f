/** @file Tables of blocks that a search keeps in memory; after a change only the blocks that were written are read again. */
import type { SqliteFile } from "./sqlite-file.js";

/** Tables of blocks, with their keys. Each row has the number of the change that wrote it. */
const keys = { lengths: "block", codes: "block", bytes: "page" } as const;

export class StoredBlocks<Block> {
  readonly #file: SqliteFile;
  readonly #table: keyof typeof keys;
  readonly #read: (key: number) => Block;
  readonly #written = new Map<number, number>();
  readonly #blocks = new Map<number, Block>();
  #state: string | undefined;

  /** @param read one block, which is there. */
  constructor(file: SqliteFile, table: keyof typeof keys, read: (key: number) => Block) {
    this.#file = file;
    this.#table = table;
    this.#read = read;
  }

  /** As they are in the transaction under way. The map is the same one every time. */
  get value(): ReadonlyMap<number, Block> {
    this.#refresh();
    return this.#blocks;
  }

  /** Of each block the number of the change that wrote it. */
  get written(): ReadonlyMap<number, number> {
    this.#refresh();
    return this.#written;
  }

  #refresh(): void {
    const state = this.#file.state();
    if (this.#state === state) return;
    const select = this.#file.statement(`select ${keys[this.#table]}, written from ${this.#table}`);
    const rows = new Map(select.all<[key: number, written: number]>());
    for (const key of [...this.#blocks.keys()].filter((known) => !rows.has(known))) {
      this.#blocks.delete(key);
      this.#written.delete(key);
    }
    for (const [key, written] of rows) {
      if (this.#written.get(key) === written) continue;
      this.#blocks.set(key, this.#read(key));
      this.#written.set(key, written);
    }
    this.#state = state;
  }
}
