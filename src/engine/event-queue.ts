/** @file Events of one request, from the engine to its reader. */

type Entry<T, End> = { readonly value: T } | { readonly end: End } | { readonly error: unknown };

/** A queue with one reader. What was pushed before the end is read before it. */
export class EventQueue<T, End> {
  readonly #entries: Entry<T, End>[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  push(value: T): void {
    this.#add({ value });
  }

  /** Ends the queue; what comes later is dropped. */
  end(end: End): void {
    this.#add({ end });
    this.#isClosed = true;
  }

  /** Ends the queue with an error, which the reader is thrown. */
  fail(error: unknown): void {
    this.#add({ error });
    this.#isClosed = true;
  }

  /** All values, then the end. */
  async *read(): AsyncGenerator<T, End> {
    for (;;) {
      const entry = this.#entries.shift();
      if (entry === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if ("value" in entry) yield entry.value;
      else if ("end" in entry) return entry.end;
      else throw entry.error;
    }
  }

  #add(entry: Entry<T, End>): void {
    if (this.#isClosed) return;
    this.#entries.push(entry);
    this.#wake();
  }
}
