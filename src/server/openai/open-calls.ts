/** @file Requests in flight: each with its time limit, all of them with an end. */

import type { Call } from "./call.js";
import { ApiError } from "./errors.js";

export class OpenCalls {
  readonly #calls = new Set<Call>();
  #isDraining = false;

  get size(): number {
    return this.#calls.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Keeps a call until its end, and ends it when its time is up. */
  add(call: Call, timeoutSeconds: number): void {
    this.#calls.add(call);
    const timer = setTimeout(() => {
      call.abort(
        new ApiError(504, `the request took more than ${timeoutSeconds} s; ask for less, or for a stream`, {
          code: "timeout",
        }),
      );
    }, timeoutSeconds * 1000);
    void call.ended.then(() => {
      clearTimeout(timer);
      this.#calls.delete(call);
    });
  }

  /** See `OpenAiApp.drain`. */
  async drain(limitSeconds: number): Promise<number> {
    this.#isDraining = true;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitSeconds * 1000);
    });
    await Promise.race([this.#allEnded(), limit]);
    clearTimeout(timer);
    const cut = [...this.#calls];
    for (const call of cut) {
      call.abort(
        new ApiError(503, "the server is shutting down before this answer's end; send the request again", {
          code: "server_shutting_down",
          retryAfterSeconds: 5,
        }),
      );
    }
    await this.#allEnded();
    return cut.length;
  }

  async #allEnded(): Promise<void> {
    await Promise.all([...this.#calls].map((call) => call.ended));
  }
}
