/** @file A training run's progress as one line. */

import type { TrainEvent } from "../train/index.js";
import { bytes, integer, seconds } from "./format.js";
import { bar, type StatusLine } from "./status-line.js";

/** Shows a run's events as they come. */
export class TrainingStatus {
  readonly #status: StatusLine;
  readonly #steps: number;
  readonly #start = performance.now();
  #firstStep: number | undefined;
  #tokens = 0;

  /** @param steps of the whole run. */
  constructor(status: StatusLine, steps: number) {
    this.#status = status;
    this.#steps = steps;
  }

  /** @param memoryBytes of the process that trains. Default: the peak of this one. */
  show(event: TrainEvent, memoryBytes?: number): void {
    if (event.type === "evaluation") {
      const [step, perplexity] = [integer(event.step), Math.exp(event.loss).toPrecision(4)];
      this.#status.print(`  step ${step}: loss ${event.loss.toFixed(4)}, perplexity ${perplexity} on held-out text`);
    }
    if (event.type !== "step") return;
    // a run that goes on does not begin at step 1
    this.#firstStep ??= event.step;
    this.#tokens += event.tokens;
    const elapsed = (performance.now() - this.#start) / 1000;
    const taken = event.step - this.#firstStep + 1;
    const parts = [
      bar(event.step / this.#steps),
      `${integer(event.step)}/${integer(this.#steps)}`,
      `loss ${event.loss.toFixed(3)}`,
      `lr ${event.learningRate.toExponential(1)}`,
      `${integer(this.#tokens / elapsed)} tokens/s`,
      memoryBytes === undefined
        ? `peak ${bytes(process.resourceUsage().maxRSS * 1024)}`
        : `memory ${bytes(memoryBytes)}`,
      `${seconds((elapsed / taken) * (this.#steps - event.step))} left`,
    ];
    this.#status.update(parts.join("  "));
  }
}
