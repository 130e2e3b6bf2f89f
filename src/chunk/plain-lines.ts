/** @file Plain text: paragraphs between blank lines. */
import { NEWLINE } from "../text/characters.js";
import { type Line, type LineReader, LOOKAHEAD, skipIndent } from "./lines.js";
import { Strength } from "./strength.js";

export class PlainLines implements LineReader {
  #isAfterBlank = true;

  lookahead(): number {
    return LOOKAHEAD;
  }

  read(text: string, at: number, to: number): Line | undefined {
    const first = skipIndent(text, at, to);
    if (first === to || text.charCodeAt(first) === NEWLINE) {
      this.#isAfterBlank = true;
      return undefined;
    }
    const strength = this.#isAfterBlank ? Strength.block : Strength.soft;
    this.#isAfterBlank = false;
    return { start: first, content: first, strength, isProse: true, heading: undefined };
  }
}
