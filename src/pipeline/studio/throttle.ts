/** @file What changes many times a second is told of a few times a second. */

/** Between two tellings: often enough to look steady, seldom enough that drawing keeps up. */
const EVERY_MS = 200;

export class Throttle {
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly tell: () => void) {}

  /** Tells in a moment, once of all that comes until then. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.tell();
    }, EVERY_MS);
  }

  /** What has come was told in another way. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
