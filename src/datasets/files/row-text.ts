/** @file Cuts a stream of text into the texts of its rows: lines, or the elements of an array, without reading all of it first. */

/** A row's text, or what stands in the way of rows, and where it starts. */
export interface RowText {
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units. */
  readonly column: number;
  /** What is wrong between rows; then there is no text. */
  readonly fault?: string;
}

/** The lines that are not blank. */
export async function* lines(chunks: AsyncIterable<string>): AsyncGenerator<RowText> {
  let rest = "";
  let line = 0;
  for await (const chunk of chunks) {
    const text = rest + chunk;
    let start = 0;
    for (let end = text.indexOf("\n", rest.length); end >= 0; end = text.indexOf("\n", start)) {
      const row = text.slice(start, end);
      line++;
      start = end + 1;
      if (row.trim() !== "") yield { text: row, line, column: 1 };
    }
    rest = text.slice(start);
  }
  if (rest.trim() !== "") yield { text: rest, line: line + 1, column: 1 };
}

/** The elements of an array. */
export async function* arrayElements(chunks: AsyncIterable<string>): AsyncGenerator<RowText> {
  const scanner = new ArrayScanner();
  for await (const chunk of chunks) yield* scanner.push(chunk);
  yield* scanner.end();
}

const [lineEnd, quote, comma, openBracket, backslash, closeBracket, openBrace, closeBrace] = [...'\n",[\\]{}'].map(
  (character) => character.charCodeAt(0),
);

/** Finds where elements begin and end by brackets and quotes alone; whether an element is JSON shows when it is parsed. */
class ArrayScanner {
  #state: "before" | "first" | "next" | "element" | "after" | "broken" = "before";
  /** The text of the element so far, from earlier chunks. */
  #held = "";
  #begin = { line: 1, column: 1 };
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #line = 1;
  /** Units of the current line before the current chunk. */
  #before = 0;

  *push(chunk: string): Generator<RowText> {
    if (this.#state === "broken") return;
    let start = 0;
    let lineStart = -this.#before;
    for (let at = 0; at < chunk.length; at++) {
      const unit = chunk.charCodeAt(at);
      if (unit === lineEnd) {
        this.#line++;
        lineStart = at + 1;
      }
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (unit === backslash) this.#isEscaped = true;
        else if (unit === quote) this.#inString = false;
        continue;
      }
      if (this.#state !== "element") {
        if (isSpace(unit)) continue;
        this.#begin = { line: this.#line, column: at - lineStart + 1 };
        if (this.#state === "before" && unit === openBracket) this.#state = "first";
        else if (this.#state === "first" && unit === closeBracket) this.#state = "after";
        else if (this.#state === "before" || this.#state === "after") {
          const expected = this.#state === "before" ? "[, which opens the list of rows" : "the end of the file after ]";
          this.#state = "broken";
          return yield { ...this.#begin, text: "", fault: `expected ${expected}, found ${JSON.stringify(chunk[at])}` };
        } else {
          this.#state = "element";
          start = at;
        }
      }
      if (this.#state === "element" && this.#endsElement(unit)) {
        yield { ...this.#begin, text: this.#held + chunk.slice(start, at) };
        this.#held = "";
        this.#state = unit === comma ? "next" : "after";
      }
    }
    if (this.#state === "element") this.#held += chunk.slice(start);
    this.#before = chunk.length - lineStart;
  }

  *end(): Generator<RowText> {
    if (this.#state === "after" || this.#state === "broken") return;
    // an element that is cut off is a fault of its own, at the place where it breaks
    if (this.#state === "element" && (this.#depth > 0 || this.#inString)) yield { ...this.#begin, text: this.#held };
    else yield { line: this.#line, column: this.#before + 1, text: "", fault: "expected ], found the end of the file" };
  }

  /** Follows the nesting; whether the unit stands behind the element. */
  #endsElement(unit: number): boolean {
    if (unit === quote) this.#inString = true;
    else if (unit === openBrace || unit === openBracket) this.#depth++;
    else if (this.#depth === 0) return unit === comma || unit === closeBracket;
    else if (unit === closeBrace || unit === closeBracket) this.#depth--;
    return false;
  }
}

const isSpace = (unit: number): boolean => unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
