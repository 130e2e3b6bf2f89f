/** @file What becomes of the pretokens of a text: counted, encoded, encoded with offsets, or cut off at a limit. */

import { IntList } from "./algorithms/int-list.js";
import type { SourceMap } from "./source-map.js";
import type { TokenModel } from "./token-model.js";

/** Takes the pieces of a text in order; false stops the scan. */
export abstract class ScanSink {
  readonly model: TokenModel;
  /** The text that positions of the coming pretokens refer to. */
  text = "";
  /** From positions in `text` to the source; undefined where they are the same. */
  source: SourceMap | undefined;
  /** Nothing but special tokens that begin a text has come since its beginning. */
  isAtStart = true;
  /** Where the text begins in the source. */
  origin = 0;
  /** `pretoken` as a function of its own, made once so that no call of a tokenizer has to. */
  readonly visit = (start: number, end: number): boolean => this.pretoken(start, end);

  constructor(model: TokenModel) {
    this.model = model;
  }

  /** Gets ready for a text. */
  begin(text: string, origin: number): void {
    this.text = text;
    this.origin = origin;
    this.source = undefined;
    this.isAtStart = true;
  }

  /** Gets ready for a text that goes on with the one before. */
  goOn(text: string): void {
    this.text = text;
    this.origin = -1;
    this.source = undefined;
    this.isAtStart = false;
  }

  abstract pretoken(start: number, end: number): boolean;

  /** An added token at `[start, end)` of the source. */
  abstract added(id: number, start: number, end: number): boolean;
}

export class CountSink extends ScanSink {
  total = 0;

  pretoken(start: number, end: number): boolean {
    this.total += this.model.count(this.text, start, end);
    return true;
  }

  added(): boolean {
    this.total++;
    return true;
  }
}

export class EncodeSink extends ScanSink {
  readonly ids = new IntList();

  pretoken(start: number, end: number): boolean {
    this.model.encode(this.text, start, end, this.ids);
    return true;
  }

  added(id: number): boolean {
    this.ids.push(id);
    return true;
  }
}

export class OffsetSink extends ScanSink {
  readonly ids = new IntList();
  readonly offsets = new IntList();

  pretoken(start: number, end: number): boolean {
    const first = this.offsets.length;
    this.model.encodeWithOffsets(this.text, start, end, this.ids, this.offsets);
    if (this.source !== undefined) this.#toSource(this.source, first);
    return true;
  }

  added(id: number, start: number, end: number): boolean {
    this.ids.push(id);
    this.offsets.push(start);
    this.offsets.push(end);
    return true;
  }

  #toSource(source: SourceMap, first: number): void {
    for (let i = first; i < this.offsets.length; i += 2) {
      const start = source.start(this.offsets.at(i));
      this.offsets.set(i, start);
      this.offsets.set(i + 1, Math.max(start, source.end(this.offsets.at(i + 1))));
    }
  }
}

/** Stops at the first pretoken with which there would be more than `maxTokens` tokens. */
export class LimitSink extends ScanSink {
  readonly #maxTokens: number;
  #total = 0;
  /** Where the last pretoken that fits ends in the source; -1 when none does. */
  fits = -1;
  /** Where the pretoken that does not fit ends in the source; -1 while all fit. */
  overflow = -1;

  constructor(model: TokenModel, maxTokens: number) {
    super(model);
    this.#maxTokens = maxTokens;
  }

  pretoken(start: number, end: number): boolean {
    return this.#take(this.model.count(this.text, start, end), this.source?.end(end) ?? end);
  }

  added(_id: number, _start: number, end: number): boolean {
    return this.#take(1, end);
  }

  #take(count: number, end: number): boolean {
    this.#total += count;
    if (this.#total > this.#maxTokens) this.overflow = end;
    else this.fits = Math.max(this.fits, end);
    return this.overflow < 0;
  }
}
