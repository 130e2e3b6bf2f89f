/**
 * @file What is asked for again and again, kept in memory within a number of bytes; the rest stays where it is.
 *
 * Two lists, each with the latest at its end: what was asked for once is on probation, what was asked for again is hot. Only
 * room among the hot ones is defended, so that a load of questions that never come again does not drive them out.
 * Source: segmented LRU, Karedla, Love and Wherry, "Caching strategies to improve disk system performance", 1994.
 */

/** Of the bytes, for what was asked for more than once. */
const hotShare = 0.8;

interface Entry<T> {
  readonly value: T;
  /** Of what the value was made of. */
  readonly version: number;
  readonly bytes: number;
}

export class HotTier<K, T> {
  readonly #maxBytes: number;
  readonly #hot = new Segment<K, T>();
  readonly #probation = new Segment<K, T>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Of all values. */
  get bytes(): number {
    return this.#hot.bytes + this.#probation.bytes;
  }

  /** The value of a key, if it is here and of this version; one of another version is forgotten. */
  get(key: K, version: number): T | undefined {
    const entry = this.#hot.take(key) ?? this.#probation.take(key);
    if (entry?.version !== version) return undefined;
    this.#hot.add(key, entry);
    while (this.#hot.bytes > hotShare * this.#maxBytes) this.#probation.add(...this.#hot.takeOldest());
    return entry.value;
  }

  /** @param bytes that the value takes. What is larger than the room on probation is not kept. */
  set(key: K, version: number, value: T, bytes: number): void {
    this.#hot.take(key);
    this.#probation.take(key);
    if (bytes > (1 - hotShare) * this.#maxBytes) return;
    this.#probation.add(key, { value, version, bytes });
    while (this.bytes > this.#maxBytes) this.#probation.takeOldest();
  }
}

/** Entries in the order in which they were added. */
class Segment<K, T> {
  readonly #entries = new Map<K, Entry<T>>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(key: K, entry: Entry<T>): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  take(key: K): Entry<T> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    return entry;
  }

  /** There must be one. */
  takeOldest(): [key: K, entry: Entry<T>] {
    const { value: key } = this.#entries.keys().next();
    return [key!, this.take(key!)!];
  }
}
