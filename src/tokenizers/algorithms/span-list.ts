/** @file Tokens of one word with the span of text that each stands for. */

import { IntList } from "./int-list.js";

export class SpanList {
  readonly ids = new IntList();
  readonly starts = new IntList();
  readonly ends = new IntList();

  get length(): number {
    return this.ids.length;
  }

  push(id: number, start: number, end: number): void {
    this.ids.push(id);
    this.starts.push(start);
    this.ends.push(end);
  }

  clear(): void {
    this.ids.clear();
    this.starts.clear();
    this.ends.clear();
  }

  /** Appends all to a list of ids and one of spans. */
  appendTo(ids: IntList, offsets: IntList): void {
    for (let i = 0; i < this.length; i++) {
      ids.push(this.ids.at(i));
      offsets.push(this.starts.at(i));
      offsets.push(this.ends.at(i));
    }
  }
}
