/**
 * @file SentencePiece's compiled table of replacements (`precompiled_charsmap`): a double-array trie over UTF-8 (Aoe 1989,
 * as darts-clone lays it out) and the strings that matches become.
 */

import { CheckpointError } from "../../base/errors.js";
import { codePointAt, utf8Byte, utf8Width, utf16Width } from "../algorithms/utf8.js";

/** A match: how many code units it covers, and what they become. */
export interface Replacement {
  readonly length: number;
  readonly content: string;
}

/** What is known of a code unit: nothing yet; nothing begins with it; only longer matches do; it is a match itself. */
const unknown = 0;
const absent = 1;
const begins = 2;
const matches = 3;

export class Charsmap {
  readonly #units: Uint32Array;
  readonly #strings: Uint8Array;
  readonly #contents = new Map<number, string>();
  readonly #kinds = new Uint8Array(0x10000);

  /**
   * @param bytes size of the trie in bytes (uint32, little-endian), the trie, then strings that end with NUL.
   * @throws CheckpointError when the sizes do not fit.
   */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = bytes.length >= 4 ? view.getUint32(0, true) : 0;
    if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length) {
      throw new CheckpointError(
        `precompiled_charsmap: a trie of ${size} bytes does not fit into ${bytes.length} bytes; the file is damaged`,
      );
    }
    this.#units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.#strings = bytes.subarray(4 + size);
  }

  /** Whether any match begins with the character at `index`. */
  mayMatch(text: string, index: number): boolean {
    return this.#kind(text, index) !== absent;
  }

  /** Whether the character at `index` is a match by itself. */
  isMatch(text: string, index: number): boolean {
    return this.#kind(text, index) === matches;
  }

  /** The longest match at `start`. */
  longest(text: string, start: number, end: number): Replacement | undefined {
    return this.#search(text, start, end, false);
  }

  /** The shortest match at `start`. */
  shortest(text: string, start: number, end: number): Replacement | undefined {
    return this.#search(text, start, end, true);
  }

  #kind(text: string, index: number): number {
    const unit = text.charCodeAt(index);
    const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
    if (!isSurrogate && this.#kinds[unit] !== unknown) return this.#kinds[unit]!;
    const codePoint = codePointAt(text, index, text.length);
    const node = this.#walk(0, codePoint);
    const kind = node < 0 ? absent : this.#leaf(node) < 0 ? begins : matches;
    if (!isSurrogate) this.#kinds[unit] = kind;
    return kind;
  }

  #search(text: string, start: number, end: number, stopsAtFirst: boolean): Replacement | undefined {
    let found: { length: number; place: number } | undefined;
    let node = 0;
    for (let at = start; at < end; ) {
      const codePoint = codePointAt(text, at, end);
      node = this.#walk(node, codePoint);
      if (node < 0) break;
      at += utf16Width(codePoint);
      const place = this.#leaf(node);
      if (place >= 0) found = { length: at - start, place };
      if (found !== undefined && stopsAtFirst) break;
    }
    return found === undefined ? undefined : { length: found.length, content: this.#content(found.place) };
  }

  /** From a node (0 is the root) along the bytes of a character: the node there, or -1. */
  #walk(from: number, codePoint: number): number {
    const units = this.#units;
    const width = utf8Width(codePoint);
    let node = from;
    for (let k = 0; k < width; k++) {
      const byte = utf8Byte(codePoint, k, width);
      node ^= offsetOf(units[node]!) ^ byte;
      const unit = units[node];
      if (unit === undefined || labelOf(unit) !== byte) return -1;
    }
    return node;
  }

  /** Where the string of the match that ends at a node begins, or -1. */
  #leaf(node: number): number {
    const unit = this.#units[node]!;
    const hasLeaf = (unit >>> 8) & 1;
    return hasLeaf === 1 ? (this.#units[node ^ offsetOf(unit)] ?? 0) & 0x7fffffff : -1;
  }

  #content(place: number): string {
    let content = this.#contents.get(place);
    if (content === undefined) {
      const end = this.#strings.indexOf(0, place);
      content = new TextDecoder().decode(this.#strings.subarray(place, end < 0 ? undefined : end));
      this.#contents.set(place, content);
    }
    return content;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

/** A value's unit has the highest bit, so that it never looks like a byte. */
function labelOf(unit: number): number {
  return (unit & 0x800000ff) >>> 0;
}
