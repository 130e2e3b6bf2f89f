/** @file `Precompiled` of tokenizer.json: SentencePiece's table of replacements, applied grapheme by grapheme. */

import { CharClasses } from "../pretokenizers/char-classes.js";
import { applyEdits, type EditSink, type TextChange } from "../text-change.js";
import type { Charsmap } from "./charsmap.js";

/** Between two simple characters there is always a grapheme boundary. */
const simple = 1;
const complex = 2;
const simpleCharacter = /^[\p{L}\p{N}\p{P}\p{S}\p{Z}\t\n]$/u;
const notSimple =
  /[\p{Grapheme_Extend}\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\u0d4e\u0e33\u0eb3\u{11000}-\u{11fff}]/u;

/** The library looks up graphemes only below this many bytes of UTF-8. */
const maxGraphemeBytes = 6;

/**
 * What the library does, which is not what SentencePiece does: a short grapheme becomes the replacement of its shortest
 * beginning that has one, all others are replaced character by character.
 */
export class PrecompiledNormalizer implements TextChange {
  readonly #charsmap: Charsmap;
  readonly #classes = new CharClasses((character) =>
    simpleCharacter.test(character) && !notSimple.test(character) ? simple : complex,
  );
  readonly #graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

  constructor(charsmap: Charsmap) {
    this.#charsmap = charsmap;
  }

  apply(text: string): string {
    return applyEdits(this, text, false);
  }

  edit(text: string, _isFirst: boolean, edits: EditSink): void {
    let kept = 0;
    const replace = (start: number, end: number, content: string): void => {
      if (start > kept) edits.keep(kept, start);
      edits.replace(start, end, content);
      kept = end;
    };
    for (let at = 0; at < text.length; ) {
      const end = this.#simpleEnd(text, at, replace);
      at = end < text.length ? this.#complexEnd(text, end, replace) : end;
    }
    if (kept < text.length) edits.keep(kept, text.length);
  }

  seam(text: string, index: number): string | undefined {
    const stands = (at: number): boolean =>
      this.#classes.at(text, at, at + 1) === simple && !this.#charsmap.isMatch(text, at);
    return stands(index - 1) && stands(index) ? text.slice(index - 1, index + 1) : undefined;
  }

  /** Replaces simple characters from `start` on; returns where the last of them, which a complex one may join, begins. */
  #simpleEnd(text: string, start: number, replace: (start: number, end: number, content: string) => void): number {
    const end = text.length;
    for (let at = start; at < end; ) {
      if (this.#classes.at(text, at, end) !== simple) return at;
      const next = at + (text.charCodeAt(at) >= 0xd800 && text.charCodeAt(at) <= 0xdbff ? 2 : 1);
      if (next < end && this.#classes.at(text, next, end) !== simple) return at;
      if (this.#charsmap.isMatch(text, at)) replace(at, next, this.#charsmap.shortest(text, at, next)!.content);
      at = next;
    }
    return end;
  }

  /** Replaces up to the next boundary between two simple characters. */
  #complexEnd(text: string, start: number, replace: (start: number, end: number, content: string) => void): number {
    let end = start;
    for (let wasSimple = false; end < text.length; ) {
      const isSimple = this.#classes.at(text, end, text.length) === simple;
      if (isSimple && wasSimple) break;
      wasSimple = isSimple && end > start;
      end += String.fromCodePoint(text.codePointAt(end)!).length;
    }
    for (const { segment, index } of this.#graphemes.segment(text.slice(start, end))) {
      this.#replaceGrapheme(segment, start + index, replace);
    }
    return end;
  }

  #replaceGrapheme(
    grapheme: string,
    start: number,
    replace: (start: number, end: number, content: string) => void,
  ): void {
    if (new TextEncoder().encode(grapheme).length < maxGraphemeBytes) {
      const found = this.#charsmap.shortest(grapheme, 0, grapheme.length);
      if (found !== undefined) {
        replace(start, start + grapheme.length, found.content);
        return;
      }
    }
    let at = 0;
    for (const character of grapheme) {
      const found = this.#charsmap.shortest(character, 0, character.length);
      if (found !== undefined) replace(start + at, start + at + character.length, found.content);
      at += character.length;
    }
  }
}
