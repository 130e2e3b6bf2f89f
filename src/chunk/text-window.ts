/** @file The part of a text that is in memory: all of it, or what a stream has brought and nobody has let go. */

/** Positions are absolute; `text` begins at `base`. */
export class TextWindow {
  text = "";
  base = 0;
  isComplete = false;
  #pieces: string[] = [];
  #pendingLength = 0;
  #keepFrom = 0;

  /** A text in memory; `base` is where it begins in the document that positions count from. */
  static of(text: string, base = 0): TextWindow {
    const window = new TextWindow();
    window.text = text;
    window.base = base;
    window.#keepFrom = base;
    window.isComplete = true;
    return window;
  }

  /**
   * Adds a piece. True when it became readable: pieces are joined only when they weigh as much as what is kept, so that
   * a character is copied a bounded number of times however small the pieces are.
   */
  append(piece: string): boolean {
    this.#pieces.push(piece);
    this.#pendingLength += piece.length;
    if (this.#pendingLength === 0 || this.#pendingLength < this.base + this.text.length - this.#keepFrom) return false;
    this.#join();
    return true;
  }

  /** No piece follows. */
  complete(): void {
    this.#join();
    this.isComplete = true;
  }

  /** Text before `position` may be let go. */
  keepFrom(position: number): void {
    this.#keepFrom = position;
  }

  /** Index in `text` that reading from index `at` may reach, at most `ahead` further; -1 until a stream has brought it. */
  reach(at: number, ahead: number): number {
    const to = at + ahead;
    if (to <= this.text.length) return to;
    return this.isComplete ? this.text.length : -1;
  }

  #join(): void {
    const kept = this.text.slice(this.#keepFrom - this.base);
    // join gives one flat string; + would give a tree that each read walks
    this.text = [kept, ...this.#pieces].join("");
    this.base = this.#keepFrom;
    this.#pieces = [];
    this.#pendingLength = 0;
  }
}
