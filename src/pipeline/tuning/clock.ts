/** @file What of a run's time was training. */

import type { TrainEvent } from "../../train/index.js";

/** Time of training apart from samples, and tokens of steps over the time of steps. */
export class Clock {
  #ms = 0;
  #stepMs = 0;
  #lastMs = 0;
  #tokens = 0;

  async timed<T>(run: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await run();
    this.#lastMs = performance.now() - start;
    this.#ms += this.#lastMs;
    return result;
  }

  /** Of what was timed last. */
  get lastMs(): number {
    return this.#lastMs;
  }

  note(event: TrainEvent): void {
    if (event.type !== "step") return;
    this.#stepMs += this.#lastMs;
    this.#tokens += event.tokens;
  }

  get seconds(): number {
    return this.#ms / 1000;
  }

  get tokensPerSecond(): number {
    return this.#tokens / Math.max(this.#stepMs / 1000, 1e-9);
  }
}
