/** @file One line at the bottom of a terminal that is rewritten; elsewhere, a line every few seconds. */

import { clearLine, cursorTo } from "node:readline";

/** Milliseconds between lines where there is no terminal to rewrite one on. */
const PLAIN_INTERVAL_MS = 10_000;

export class StatusLine {
  readonly #stream: NodeJS.WriteStream;
  #lastPlain = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** Shows a state that the next one replaces. */
  update(text: string): void {
    if (this.#stream.isTTY) {
      cursorTo(this.#stream, 0);
      this.#stream.write(text.slice(0, (this.#stream.columns ?? 80) - 1));
      clearLine(this.#stream, 1);
      this.#isShown = true;
    } else if (performance.now() - this.#lastPlain >= PLAIN_INTERVAL_MS) {
      this.#lastPlain = performance.now();
      this.#stream.write(`${text}\n`);
    }
  }

  /** Prints lines that stay, above the state. */
  print(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  clear(): void {
    if (!this.#isShown) return;
    cursorTo(this.#stream, 0);
    clearLine(this.#stream, 0);
    this.#isShown = false;
  }
}

/** ▕████      ▏ */
export function bar(share: number, width = 20): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `▕${"█".repeat(full)}${" ".repeat(width - full)}▏`;
}
