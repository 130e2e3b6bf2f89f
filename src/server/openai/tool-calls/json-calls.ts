/** @file Finds JSON tool calls in an answer as it is written. */

import { CallScanner } from "./call-scanner.js";
import type { AnswerDelta, ToolCallParser } from "./format.js";

export interface JsonCallsOptions {
  /** Stands before calls. */
  readonly open: string;
  /** Stands after a call. */
  readonly close?: string;
  /** Characters that may stand between calls besides white space. */
  readonly between?: string;
  /** Calls may also begin the answer without `open`. */
  readonly beginsAnswer?: boolean;
  /** Functions that may be called. */
  readonly names: ReadonlySet<string>;
}

export class JsonCallsParser implements ToolCallParser {
  readonly #options: JsonCallsOptions;
  #mode: "text" | "between" | "call";
  #unread = "";
  /** White space at the end of the text so far: dropped before a call and after one. */
  #space = "";
  /** What was read since the text ended, in case no call comes. */
  #skipped = "";
  #scanner = new CallScanner();
  #hasBegun = false;
  #numBegun = 0;
  #deltas: AnswerDelta[] = [];
  numComplete = 0;

  constructor(options: JsonCallsOptions) {
    this.#options = options;
    this.#mode = options.beginsAnswer ? "between" : "text";
  }

  push(text: string): AnswerDelta[] {
    this.#unread += text;
    while (this.#unread !== "" && this.#step());
    return this.#take();
  }

  end(): AnswerDelta[] {
    if (this.#mode === "between") this.#giveUp();
    else if (this.#mode === "call" && !this.#hasBegun) this.#text(this.#skipped + this.#scanner.raw);
    this.#text(this.#unread);
    this.#unread = "";
    if (this.#numBegun === 0 && this.#space !== "") this.#deltas.push({ type: "text", text: this.#space });
    return this.#take();
  }

  #take(): AnswerDelta[] {
    const deltas = this.#deltas;
    this.#deltas = [];
    return deltas;
  }

  /** Whether another step may find more. */
  #step(): boolean {
    if (this.#mode === "text") return this.#readText();
    if (this.#mode === "between") return this.#readBetween();
    return this.#readCall();
  }

  #readText(): boolean {
    const { open } = this.#options;
    const at = this.#unread.indexOf(open);
    const end = at < 0 ? this.#unread.length - overlap(this.#unread, open) : at;
    this.#text(this.#unread.slice(0, end));
    this.#unread = this.#unread.slice(end);
    if (at < 0) return false;
    this.#skip(open.length);
    this.#mode = "between";
    return true;
  }

  #readBetween(): boolean {
    const { open, close, between = "" } = this.#options;
    const first = this.#unread[0]!;
    if (/\s/.test(first) || between.includes(first)) this.#skip(1);
    else if (first === "{") {
      this.#mode = "call";
      this.#scanner = new CallScanner();
      this.#hasBegun = false;
    } else {
      const mark = [open, close].find((text) => text?.startsWith(this.#unread.slice(0, text.length)));
      if (mark !== undefined && this.#unread.length < mark.length) return false;
      if (mark === undefined) this.#giveUp();
      else {
        this.#skip(mark.length);
        if (mark === close) this.#giveUp();
      }
    }
    return true;
  }

  #readCall(): boolean {
    const scanner = this.#scanner;
    this.#unread = this.#unread.slice(scanner.push(this.#unread));
    if (!this.#hasBegun && scanner.name !== undefined && this.#options.names.has(scanner.name)) {
      this.#hasBegun = true;
      this.#deltas.push({ type: "call", index: this.#numBegun++, name: scanner.name });
    }
    if (this.#hasBegun) {
      const text = scanner.takeArguments();
      if (text !== "") this.#deltas.push({ type: "arguments", index: this.#numBegun - 1, text });
    }
    if (scanner.state === "open") return false;
    if (!this.#hasBegun) {
      this.#text(this.#skipped + scanner.raw);
      this.#mode = "text";
    } else {
      if (scanner.state === "done") this.numComplete++;
      this.#mode = "between";
    }
    this.#skipped = "";
    return true;
  }

  #skip(count: number): void {
    // after a call, marks and white space are of no use as text
    if (this.#skipped !== "" || !this.#hasBegun) this.#skipped += this.#unread.slice(0, count);
    this.#unread = this.#unread.slice(count);
  }

  /** Text goes on: what was skipped was no beginning of a call, unless one came. */
  #giveUp(): void {
    this.#text(this.#skipped);
    this.#skipped = "";
    this.#hasBegun = false;
    this.#mode = "text";
  }

  #text(text: string): void {
    const all = this.#space + text;
    const shown = all.trimEnd();
    this.#space = all.slice(shown.length);
    if (shown !== "") this.#deltas.push({ type: "text", text: shown });
  }
}

/** Length of the longest end of `text` with which `mark` begins. */
function overlap(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}
