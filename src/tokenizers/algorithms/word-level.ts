/** @file Each word is a token or unknown. */

import { DataError } from "../../base/errors.js";
import type { Vocabulary } from "../vocabulary.js";
import type { SpanList } from "./span-list.js";
import { WordModel } from "./word-model.js";

export interface WordLevelOptions {
  readonly vocabulary: Vocabulary;
  /** The token for words that are not in the vocabulary; without one they are an error. */
  readonly unkId?: number | undefined;
  /** Ids that no text gives, such as those of special tokens. */
  readonly hidden?: ReadonlySet<number>;
}

export class WordLevel extends WordModel {
  readonly options: WordLevelOptions;

  constructor(options: WordLevelOptions) {
    super(options.vocabulary);
    this.options = options;
  }

  /** @throws DataError on an unknown word when there is no token for it. */
  protected override fill(text: string, start: number, end: number, spans: SpanList): void {
    const { vocabulary, unkId, hidden } = this.options;
    const word = text.slice(start, end);
    const known = vocabulary.id(word);
    const id = known === undefined || hidden?.has(known) === true ? unkId : known;
    if (id === undefined) {
      throw new DataError(
        `encode: the word "${word}" is not in the vocabulary, which has no unknown token; add the word or an unk_token`,
      );
    }
    spans.push(id, start, end);
  }
}
