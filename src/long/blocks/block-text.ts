/** @file A text that grows block by block: what the model has read and written, and what is held back. */

import { DataError } from "../../base/errors.js";
import { StopStrings } from "../../engine/index.js";
import type { StreamDecoder, Tokenizer } from "../../tokenizers/index.js";
import type { BlockRecord } from "./block.js";

/** Ids of a text that goes on behind another: without the space that some tokenizers put before the first word. */
export function continuationIds(tokenizer: Tokenizer, text: string): readonly number[] {
  const before = tokenizer.encode("\n");
  const whole = tokenizer.encode(`\n${text}`);
  const isApart = before.every((id, i) => id === whole[i]);
  return [...(isApart ? whole.subarray(before.length) : tokenizer.encode(text))];
}

/** Tokens and characters of a text. Replaying the records of its blocks gives the state in which they left it. */
export class BlockText {
  readonly #tokenizer: Tokenizer;
  readonly #prompt: readonly number[];
  readonly #stop: readonly string[];
  #decoder: StreamDecoder;
  #stops: StopStrings;
  #text = "";
  readonly #ids: number[] = [];
  readonly #written: number[] = [];
  #numGenerated = 0;
  /** What the tokens of the block that is being written made certain. */
  #certain = "";
  #hasStopped = false;

  constructor(tokenizer: Tokenizer, prompt: readonly number[], stop: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#prompt = prompt;
    this.#stop = stop;
    this.#decoder = this.#decoderAt(prompt);
    this.#stops = new StopStrings(stop);
  }

  /** The blocks that were added. */
  get text(): string {
    return this.#text;
  }

  /** What the model has read and written behind the prompt. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Of these, the tokens that stand in the text. */
  get written(): readonly number[] {
    return this.#written;
  }

  /** Tokens that the model generated. */
  get numGenerated(): number {
    return this.#numGenerated;
  }

  /** Text of the block that is being written. */
  get certain(): string {
    return this.#certain;
  }

  /** What of it may still become a stop string. */
  get held(): string {
    return this.#hasStopped ? "" : this.#stops.held;
  }

  /** A token of the block that is being written has come. True where it completes a stop string. */
  push(id: number): boolean {
    const { text, stop } = this.#stops.push(this.#decoder.push(id));
    this.#certain += text;
    this.#hasStopped = stop !== undefined;
    return this.#hasStopped;
  }

  /** Takes in the block whose tokens were pushed. Returns what it adds to the text. */
  add({ ids, edit, guidance, isLast }: Omit<BlockRecord, "text">): string {
    const isClosed = edit !== undefined || guidance !== undefined || isLast;
    const rest = isClosed ? this.#flushed() : "";
    const added = edit ?? this.#certain + rest;
    const kept = edit === undefined ? ids : continuationIds(this.#tokenizer, edit);
    this.#ids.push(...kept, ...(guidance === undefined ? [] : continuationIds(this.#tokenizer, guidance)));
    this.#written.push(...kept);
    this.#numGenerated += ids.length;
    this.#text += added;
    this.#certain = "";
    if (isClosed) {
      this.#decoder = this.#decoderAt([...this.#prompt, ...this.#ids]);
      this.#stops = new StopStrings(this.#stop);
      this.#hasStopped = false;
    }
    return added;
  }

  /** Takes in a block that was saved. @throws DataError when its tokens do not give its text. */
  replay(record: BlockRecord, index: number): void {
    const isShort = record.ids.some((id, i) => this.push(id) && i + 1 < record.ids.length);
    const text = isShort ? undefined : this.add(record);
    if (text !== record.text) {
      throw new DataError(
        `block ${index + 1}: its tokens do not give the text that was saved with them; it was written with another tokenizer, prompt or stop strings`,
      );
    }
  }

  /** What was held back, once nothing follows. */
  #flushed(): string {
    if (this.#hasStopped) return "";
    const { text, stop } = this.#stops.push(this.#decoder.flush());
    return stop === undefined ? text + this.#stops.flush() : text;
  }

  /** The text goes on where these ids end. */
  #decoderAt(ids: readonly number[]): StreamDecoder {
    const decoder = this.#tokenizer.streamDecoder();
    for (const id of ids) decoder.push(id);
    return decoder;
  }
}
