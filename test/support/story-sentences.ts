/** @file Sentences of the real stories in which one character is named, each with the name: data for tests of extraction. */

import { readFileSync } from "node:fs";

const stories = new URL("../../../shared/data/data-tinystories/tinystories.txt", import.meta.url);

export interface StorySentence {
  readonly sentence: string;
  /** The one character that is named. */
  readonly name: string;
  /** Whether someone speaks in it. */
  readonly speech: boolean;
}

/** Sentences of at most 80 characters that name one of those whom a story introduces ("a boy named Tim"). */
export function storySentences(): StorySentence[] {
  const text = readFileSync(stories, "utf8");
  const names = new Set([...text.matchAll(/\bnamed ([A-Z][a-z]+)/g)].map(([, name]) => name!));
  const sentences = text.split(/\n+|(?<=[.!?]"?) (?=["A-Z])/).filter(({ length }) => length >= 20 && length <= 80);
  return [...new Set(sentences)].flatMap((sentence) => {
    const found = [
      ...new Set([...sentence.matchAll(/[A-Z][a-z]+/g)].map(([word]) => word).filter((word) => names.has(word))),
    ];
    return found.length === 1 ? [{ sentence, name: found[0]!, speech: sentence.includes('"') }] : [];
  });
}
