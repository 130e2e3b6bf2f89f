/** @file English words by their lemmas. */

import { lemmaOf, type PartOfSpeech } from "../english/lemma.js";
import { latinWords, plainWord } from "../english/words.js";
import type { TextStep } from "../step.js";
import { replaceMatches } from "../step.js";

export interface LemmatizeOptions {
  /** Reads all words so. Default: each as it most likely is, see `lemmaOf`. */
  readonly partOfSpeech?: PartOfSpeech;
}

/** Replaces each word in Latin letters by its lemma, in lower case; what has no other lemma stays as it is. For English. */
export function lemmatize({ partOfSpeech }: LemmatizeOptions = {}): TextStep {
  return {
    name: "lemmatize",
    edits: (text) =>
      replaceMatches(text, latinWords, ([word]) => {
        const plain = plainWord(word);
        const lemma = lemmaOf(plain, partOfSpeech);
        return lemma === plain ? word : lemma;
      }),
  };
}
