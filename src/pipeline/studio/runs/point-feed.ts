/** @file Points of a run's curves on their way to the pages: many steps a second are told of a few times a second. */

import type { LiveState } from "../../../server/studio/live-state.js";
import type { RunPoint } from "../../../server/studio/wire/index.js";
import { Throttle } from "../throttle.js";

export class PointFeed {
  #points: RunPoint[] = [];
  readonly #throttle = new Throttle(() => this.flush());

  /** @param onFlush hears of the points that are sent, in their order. */
  constructor(
    private readonly live: LiveState,
    private readonly run: string,
    private readonly onFlush: (points: readonly RunPoint[]) => void,
  ) {}

  add(point: RunPoint): void {
    this.#points.push(point);
    this.#throttle.soon();
  }

  /** Sends what has come. */
  flush(): void {
    this.#throttle.cancel();
    const points = this.#points;
    if (points.length === 0) return;
    this.#points = [];
    this.onFlush(points);
    this.live.publish({ event: "points", data: { run: this.run, points } });
  }
}
