/** @file Letters without their accents. */

import type { Edit, TextStep } from "../step.js";
import { stretches } from "../stretches.js";

export interface AccentsOptions {
  /** Also replaces letters with a stroke or a ligature, which Unicode does not decompose: ø → o, ł → l, ß → ss, æ → ae. Default false. */
  readonly letters?: boolean;
}

/**
 * Marks that go with letters of any script, such as the acute; not the vowel signs of a script, the voicing marks of
 * Japanese (か and が are different letters) or variation selectors.
 */
const accent = /(?!\u3099|\u309a|\p{Variation_Selector})(?=\p{Script=Inherited})\p{Mn}/gu;

const plainLetters: Readonly<Record<string, string>> = {
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ħ: "h",
  ı: "i",
  ĸ: "k",
  ŋ: "n",
  ŧ: "t",
  ƶ: "z",
  Ø: "O",
  Ł: "L",
  Đ: "D",
  Ð: "D",
  Þ: "TH",
  ẞ: "SS",
  Æ: "AE",
  Œ: "OE",
  Ħ: "H",
  Ŋ: "N",
  Ŧ: "T",
  Ƶ: "Z",
};
const strokedLetter = new RegExp(`[${Object.keys(plainLetters).join("")}]`, "g");

/** Decomposes letters (NFD), takes off accents and composes what is left (NFC). Letters without accents stay as they are. */
export function accents({ letters = false }: AccentsOptions = {}): TextStep {
  return { name: "accents", edits };

  function* edits(text: string): Generator<Edit> {
    for (const { start, end } of stretches(text, "NFC")) {
      const before = text.slice(start, end);
      const content = plain(before);
      if (content !== before) yield { start, end, content };
    }
  }

  function plain(stretch: string): string {
    const decomposed = stretch.normalize("NFD");
    const bare = decomposed.replace(accent, "");
    const composed = bare === decomposed ? stretch : bare.normalize("NFC");
    return letters ? composed.replace(strokedLetter, (letter) => plainLetters[letter]!) : composed;
  }
}
