/** @file A quota that refills as time goes. */

/**
 * A token bucket: holds a minute's worth, refills evenly. A cost that is known only afterwards may take it below zero;
 * until it is above again nothing more is let in.
 */
export class TokenBucket {
  #level: number;
  #filledAt: number;

  /** @param now clock in milliseconds. */
  constructor(
    readonly perMinute: number,
    readonly now: () => number = () => performance.now(),
  ) {
    this.#level = perMinute;
    this.#filledAt = now();
  }

  /** What may be taken now, in whole units from 0. */
  get remaining(): number {
    this.#refill();
    return Math.max(0, Math.floor(this.#level));
  }

  /** Seconds until `amount` is there; 0 when it is. */
  secondsUntil(amount: number): number {
    this.#refill();
    return Math.max(0, ((amount - this.#level) / this.perMinute) * 60);
  }

  take(amount: number): void {
    this.#refill();
    this.#level -= amount;
  }

  #refill(): void {
    const now = this.now();
    this.#level = Math.min(this.perMinute, this.#level + ((now - this.#filledAt) / 60_000) * this.perMinute);
    this.#filledAt = now;
  }
}
