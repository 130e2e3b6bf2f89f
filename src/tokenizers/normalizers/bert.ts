/** @file BERT's normalisation (Devlin et al. 2018, tokenization.py): cleaning, space around Chinese, accents, case. */

import { characterSeam, type EditSink, type TextChange } from "../text-change.js";
import { lowercased } from "./by-character.js";
import { nonspacingMarks } from "./marks.js";

export interface BertNormalizerOptions {
  /** Removes control characters and turns white space to spaces. */
  readonly cleansText: boolean;
  /** Puts spaces around Chinese characters. */
  readonly separatesChinese: boolean;
  readonly stripsAccents: boolean;
  readonly lowercases: boolean;
}

const plain = /^[\x20-\x7e]*$/;
/** Format characters that are younger than the library's tables stay. */
const removed = /[\0\ufffd]|(?![\t\n\r\u0890\u0891\u08e2\u{110cd}\u{13430}-\u{1343f}])[\p{Cc}\p{Cf}\p{Co}]/gu;
const whiteSpace = /\p{White_Space}/gu;
/** The blocks that the library calls Chinese. */
const chinese =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

export class BertNormalizer implements TextChange {
  readonly #options: BertNormalizerOptions;

  constructor(options: BertNormalizerOptions) {
    this.#options = options;
  }

  apply(text: string): string {
    const { cleansText, separatesChinese, stripsAccents, lowercases } = this.#options;
    if (plain.test(text)) return lowercases ? text.toLowerCase() : text;
    let result = text;
    if (cleansText) result = result.replace(removed, "").replace(whiteSpace, " ");
    if (separatesChinese) result = result.replace(chinese, " $& ");
    if (stripsAccents) result = result.normalize("NFD").replace(nonspacingMarks, "");
    return lowercases ? lowercased(result) : result;
  }

  edit(text: string, _isFirst: boolean, edits: EditSink): void {
    let at = 0;
    for (const character of text) {
      const end = at + character.length;
      this.#editCharacter(character, at, end, edits);
      at = end;
    }
  }

  seam(text: string, index: number): string | undefined {
    return characterSeam(this, text, index);
  }

  /** The spaces around a Chinese character have no place of their own in the source. */
  #editCharacter(character: string, start: number, end: number, edits: EditSink): void {
    const content = this.apply(character);
    const core = content.trim();
    if (content === character) {
      edits.keep(start, end);
    } else if (core === "" || core === content) {
      edits.replace(start, end, content);
    } else {
      edits.replace(start, start, " ");
      edits.replace(start, end, core);
      edits.replace(end, end, " ");
    }
  }
}
