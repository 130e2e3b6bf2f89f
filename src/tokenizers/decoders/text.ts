/** @file Decoder steps that work on characters: replacing, stripping, joining words. */

import { type DecoderStep, eachToken } from "./decoder.js";

/** Replaces in every token (`Replace`). */
export function replacing(pattern: RegExp, content: string): DecoderStep {
  return eachToken((token) => token.replace(pattern, () => content));
}

/**
 * Takes up to `start` characters off the front and `stop` off the end of every token, where they are `character`
 * (`Strip`).
 */
export function stripping(character: string, start: number, stop: number): DecoderStep {
  return eachToken((token) => {
    const characters = [...token];
    let [from, to] = [0, characters.length];
    while (from < start && from < to && characters[from] === character) from++;
    while (characters.length - to < stop && to > from && characters[to - 1] === character) to--;
    return characters.slice(from, to).join("");
  });
}

/** `stripping` at the front of a whole text, whose parts come one by one. */
export function strippingFront(character: string, start: number): DecoderStep {
  return {
    open() {
      let left = start;
      return {
        push(part) {
          let text = part;
          while (left > 0 && text.startsWith(character)) {
            text = text.slice(character.length);
            left--;
          }
          if (text !== "") left = 0;
          return [text];
        },
        end: () => [],
      };
    },
  };
}

/** Writes a space before each token but the first, unless it goes on a word (`WordPiece`). */
export function wordPieces(prefix: string, cleansUp: boolean): DecoderStep {
  return eachToken((token, isFirst) => {
    let text = token;
    if (!isFirst) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
    return cleansUp ? cleanedUp(text) : text;
  });
}

/** Takes out the spaces that tokenization put before punctuation and contractions; in this order. */
export function cleanedUp(text: string): string {
  const replacements = [" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't", " 'm", "'m"];
  replacements.push(" do not", " don't", " 's", "'s", " 've", "'ve", " 're", "'re");
  let result = text;
  for (let i = 0; i < replacements.length; i += 2) {
    result = result.replaceAll(replacements[i]!, replacements[i + 1]!);
  }
  return result;
}

/** Space marks become spaces; those of the first token are dropped when the encoder put one there (`Metaspace`). */
export function spaceMarks(mark: string, dropsFirst: boolean): DecoderStep {
  return eachToken((token, isFirst) => token.replaceAll(mark, isFirst && dropsFirst ? "" : " "));
}

/** A suffix becomes a space, but after the last token (`BPEDecoder`). */
export function wordSuffixes(suffix: string): DecoderStep {
  return {
    open() {
      let held: string | undefined;
      return {
        push(token) {
          const before = held;
          held = token;
          return before === undefined ? [] : [before.replaceAll(suffix, " ")];
        },
        end: () => (held === undefined ? [] : [held.replaceAll(suffix, "")]),
      };
    },
  };
}

/** Spaces between the tokens, where a file names no decoder. */
export const spaced: DecoderStep = eachToken((token, isFirst) => (isFirst ? token : ` ${token}`));

/** Drops repeated tokens and padding, and turns the delimiter into spaces (`CTC`, Graves et al. 2006). */
export function ctc(padding: string, delimiter: string, cleansUp: boolean): DecoderStep {
  return {
    open() {
      let last: string | undefined;
      return {
        push(token) {
          if (token === last) return [];
          last = token;
          const text = token.replaceAll(padding, "");
          const written = cleansUp ? cleanedUp(text).replaceAll(delimiter, " ") : text;
          return written === "" ? [] : [written];
        },
        end: () => [],
      };
    },
  };
}
