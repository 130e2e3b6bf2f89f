/** @file How far a run is and how fast it goes, from what it says. */

import type { RunPoint, TrainProgress } from "../../server/studio/wire/index.js";
import type { TrainEvent } from "../../train/index.js";

/** Share of the latest step in the speed that is shown: one slow step does not make it jump. */
const LATEST = 0.2;

/** Hears the events of one run as they come. */
export class ProgressMeter {
  #progress: TrainProgress;
  #before: number;
  #secondsPerStep: number | undefined;
  readonly #now: () => number;

  /** @param now clock in milliseconds. */
  constructor(steps: number, now: () => number = () => performance.now()) {
    this.#progress = { step: 0, steps };
    this.#now = now;
    this.#before = now();
  }

  get progress(): TrainProgress {
    return this.#progress;
  }

  /** How fast it goes, without how far it is. */
  get pace(): Pick<TrainProgress, "tokensPerSecond" | "secondsLeft"> {
    const { tokensPerSecond, secondsLeft } = this.#progress;
    return {
      ...(tokensPerSecond !== undefined && { tokensPerSecond }),
      ...(secondsLeft !== undefined && { secondsLeft }),
    };
  }

  /** What went on until now is no part of the next step. */
  pause(): void {
    this.#before = this.#now();
  }

  /** The point that an event adds to the run's curves; undefined where it says nothing of them. */
  hear(event: TrainEvent, rssBytes: number): RunPoint | undefined {
    if (event.type === "evaluation") {
      const { step, loss } = event;
      this.#progress = { ...this.#progress, heldOutLoss: loss };
      this.pause();
      return { step, heldOutLoss: loss };
    }
    if (event.type !== "step") {
      this.pause();
      return undefined;
    }
    const { step, loss, learningRate, tokens } = event;
    const seconds = (this.#now() - this.#before) / 1000;
    this.#before = this.#now();
    const mean = this.#secondsPerStep ?? seconds;
    this.#secondsPerStep = mean + LATEST * (seconds - mean);
    const tokensPerSecond = seconds > 0 ? tokens / seconds : undefined;
    const secondsLeft = this.#secondsPerStep * (this.#progress.steps - step);
    const speed = tokensPerSecond !== undefined && { tokensPerSecond };
    this.#progress = { ...this.#progress, step, loss, secondsLeft, ...speed };
    return { step, loss, learningRate, seconds, memoryBytes: rssBytes, ...speed };
  }
}
