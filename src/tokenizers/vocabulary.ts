/** @file Tokens by id and ids by token. */

export class Vocabulary {
  /** Ids without a token are undefined. */
  readonly tokens: readonly (string | undefined)[];
  readonly #ids: ReadonlyMap<string, number>;

  /** @param tokens by id; of a token that is there twice the later id counts. */
  constructor(tokens: readonly (string | undefined)[]) {
    this.tokens = tokens;
    const ids = new Map<string, number>();
    for (const [id, token] of tokens.entries()) if (token !== undefined) ids.set(token, id);
    this.#ids = ids;
  }

  get size(): number {
    return this.tokens.length;
  }

  id(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** All tokens with their ids. */
  entries(): IterableIterator<[token: string, id: number]> {
    return this.#ids.entries();
  }
}

/** The ids of `<0x00>` to `<0xFF>`; -1 where the vocabulary has none. */
export function bytePieceIds(id: (token: string) => number | undefined): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => id(bytePiece(byte)) ?? -1);
}

/** How vocabularies name a byte: `<0x0A>`. */
export function bytePiece(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

/** The byte that a token names; undefined when it names none. */
export function byteOfPiece(token: string): number | undefined {
  return /^<0x[\da-fA-F]{2}>$/.test(token) ? Number.parseInt(token.slice(3, 5), 16) : undefined;
}
