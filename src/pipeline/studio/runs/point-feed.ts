/** @file Points of a run's curves on their way to the pages: many steps a second are told of a few times a second. */

import type { LiveState } from "../../../server/studio/live-state.js";
import type { RunPoint } from "../../../server/studio/wire/index.js";

/** Between two events: often enough to look steady, seldom enough that drawing keeps up. */
const EVERY_MS = 200;

export class PointFeed {
  #points: RunPoint[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param onFlush hears of the points that are sent, in their order. */
  constructor(
    private readonly live: LiveState,
    private readonly run: string,
    private readonly onFlush: (points: readonly RunPoint[]) => void,
  ) {}

  add(point: RunPoint): void {
    this.#points.push(point);
    this.#timer ??= setTimeout(() => this.flush(), EVERY_MS);
  }

  /** Sends what has come. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const points = this.#points;
    if (points.length === 0) return;
    this.#points = [];
    this.onFlush(points);
    this.live.publish({ event: "points", data: { run: this.run, points } });
  }
}
