/** @file Points of one run, by step: history and what comes live, in whatever order they arrive. */

import type { RunPoint } from "../../../../src/server/studio/wire/index.js";
import type { Line } from "../../parts/thin-out.js";

export type Quantity = Exclude<keyof RunPoint, "step">;

export class Curve {
  readonly #byStep = new Map<number, RunPoint>();
  #sorted: readonly RunPoint[] | undefined = [];

  /** Points of one step are one: an evaluation joins the step before it. */
  add(points: readonly RunPoint[]): void {
    for (const point of points) this.#byStep.set(point.step, { ...this.#byStep.get(point.step), ...point });
    this.#sorted = undefined;
  }

  get points(): readonly RunPoint[] {
    this.#sorted ??= [...this.#byStep.values()].sort((a, b) => a.step - b.step);
    return this.#sorted;
  }

  /** Steps and values of one quantity. */
  line(quantity: Quantity): Line {
    const known = this.points.filter((point) => point[quantity] !== undefined);
    return { xs: known.map(({ step }) => step), ys: known.map((point) => point[quantity]) };
  }
}
