/** @file The state that all open pages share, and who hears of its changes. */

import type { StudioEvent, StudioState, Work } from "./wire/index.js";

type Listener = (event: StudioEvent) => void;

/** How often a page hears that the connection stands while nothing happens. */
const BEAT_MS = 15_000;

/** One per Studio. Whoever changes something changes it here; pages follow. */
export class LiveState {
  #current: StudioState;
  readonly #listeners = new Set<Listener>();

  /** Of a folder, by its name, of which nothing is known yet. */
  constructor(folder: string) {
    this.#current = {
      folder,
      job: { status: "idle", stage: "read" },
      runs: [],
      writers: [],
      preferences: { numPairs: 0, numUndecided: 0 },
      work: [],
    };
  }

  get current(): StudioState {
    return this.#current;
  }

  /** Replaces parts of the state; a part that is undefined is left out of it. */
  change(parts: Partial<StudioState>): void {
    this.#current = { ...this.#current, ...parts };
    this.publish({ event: "change", data: parts });
  }

  /** Shows something that takes long on every page, in the place of what is shown under its id. */
  showWork(work: Work): void {
    const shown = this.#current.work;
    const isThere = shown.some(({ id }) => id === work.id);
    this.change({ work: isThere ? shown.map((other) => (other.id === work.id ? work : other)) : [...shown, work] });
  }

  endWork(id: string): void {
    this.change({ work: this.#current.work.filter((work) => work.id !== id) });
  }

  /** Tells every page something that is not state. */
  publish(event: StudioEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** The whole state, then every event, until the signal is aborted. */
  async *events(signal: AbortSignal): AsyncGenerator<StudioEvent, void> {
    const waiting: StudioEvent[] = [{ event: "state", data: this.#current }];
    let wake = (): void => undefined;
    const listener: Listener = (event) => {
      waiting.push(event);
      wake();
    };
    const beat = setInterval(() => listener({ event: "beat", data: null }), BEAT_MS);
    const stop = (): void => wake();
    this.#listeners.add(listener);
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      clearInterval(beat);
      this.#listeners.delete(listener);
      signal.removeEventListener("abort", stop);
    }
  }
}
