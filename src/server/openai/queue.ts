/** @file Who may run now and who waits: a queue with a limit, first come first served. */

import { ApiError } from "./errors.js";

/** A place in the queue. */
export interface Ticket {
  /** Resolves when the request may run. @throws the signal's reason when it is aborted first. */
  readonly turn: Promise<void>;
  /** Gives the place up, running or waiting. */
  leave(): void;
}

interface Waiter {
  readonly start: () => void;
}

export class RequestQueue {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<Waiter>();
  #running = 0;

  /** `concurrency` requests run, `maxWaiting` more wait. */
  constructor(concurrency: number, maxWaiting: number) {
    this.#concurrency = concurrency;
    this.#maxWaiting = maxWaiting;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get running(): number {
    return this.#running;
  }

  /** @throws ApiError 429 when all places are taken. */
  enter(signal: AbortSignal): Ticket {
    if (this.#running < this.#concurrency) {
      this.#running++;
      return { turn: Promise.resolve(), leave: once(() => this.#end()) };
    }
    if (this.#waiting.size >= this.#maxWaiting) {
      throw new ApiError(
        429,
        `the server is busy: ${this.#running} requests run and ${this.#waiting.size} wait, and no more may; try again soon`,
        { code: "queue_full", retryAfterSeconds: 1 },
      );
    }
    return this.#wait(signal);
  }

  #wait(signal: AbortSignal): Ticket {
    let hasStarted = false;
    let give = (): void => {};
    const turn = new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        start: () => {
          hasStarted = true;
          signal.removeEventListener("abort", giveUp);
          resolve();
        },
      };
      const giveUp = (): void => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      };
      give = () => {
        signal.removeEventListener("abort", giveUp);
        if (hasStarted) this.#end();
        else this.#waiting.delete(waiter);
      };
      this.#waiting.add(waiter);
      if (signal.aborted) giveUp();
      else signal.addEventListener("abort", giveUp, { once: true });
    });
    // a client that goes before its turn is nobody's error
    turn.catch(() => undefined);
    return { turn, leave: once(() => give()) };
  }

  #end(): void {
    this.#running--;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#running++;
    next.start();
  }
}

function once(run: () => void): () => void {
  let hasRun = false;
  return () => {
    if (hasRun) return;
    hasRun = true;
    run();
  };
}
