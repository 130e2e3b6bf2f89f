/** @file The pieces of a text that another process writes. */

import type { TextPiece } from "../../server/openai/service.js";
import { readAhead } from "./protocol.js";

export interface RemoteTextPeer {
  /** So many more pieces may come. */
  read(count: number): void;
  /** Nobody reads on. */
  leave(): void;
}

/**
 * An async generator by hand: `return` must reach the other process also before the first piece was asked for. At most
 * `readAhead` pieces wait here; the engine writes on without them, and what it has written waits there as token ids.
 */
export class RemoteText implements AsyncGenerator<TextPiece, void> {
  readonly #peer: RemoteTextPeer;
  readonly #signal: AbortSignal;
  #pieces: TextPiece[] = [];
  #numTaken = 0;
  #hasStarted = false;
  #isDone = false;
  #error: Error | undefined;
  #wake = (): void => {};
  readonly #giveUp = (): void => this.#leave();

  constructor(signal: AbortSignal, peer: RemoteTextPeer) {
    this.#signal = signal;
    this.#peer = peer;
    signal.addEventListener("abort", this.#giveUp, { once: true });
  }

  push(piece: TextPiece): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  /** Nothing more comes; what came is read first, then the error. */
  end(error?: Error): void {
    this.#isDone = true;
    this.#error = error;
    this.#signal.removeEventListener("abort", this.#giveUp);
    this.#wake();
  }

  async next(): Promise<IteratorResult<TextPiece, void>> {
    if (!this.#hasStarted && !this.#isDone) this.#peer.read(readAhead);
    this.#hasStarted = true;
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece) {
        this.#taken();
        return { done: false, value: piece };
      }
      if (this.#isDone) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const error = this.#error;
    this.#error = undefined;
    if (error) throw error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<TextPiece, void>> {
    this.#leave();
    return { done: true, value: undefined };
  }

  async throw(thrown: unknown): Promise<never> {
    this.#leave();
    throw thrown;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
  }

  /** Asks for more in halves, so that few messages do. */
  #taken(): void {
    this.#numTaken++;
    if (this.#isDone || this.#numTaken < readAhead / 2) return;
    this.#peer.read(this.#numTaken);
    this.#numTaken = 0;
  }

  #leave(): void {
    if (!this.#isDone) this.#peer.leave();
    this.#pieces = [];
    this.end();
  }
}
