/** @file Token counts without a tokenizer: near enough to size chunks, and the same on every machine. */
import { isIdeographic, isSpace } from "../text/characters.js";
import type { TokenCounter } from "./chunk.js";

/** Letters and digits of one word that make a token: what the vocabularies of GPT-2 to Llama 3 come to in English. */
const LETTERS_PER_TOKEN = 6;

/**
 * Counts a token for every six letters of a word, begun ones included, for every ideograph and every other sign; none for
 * white space.
 */
export const estimatedTokens: TokenCounter = {
  count: (text, start = 0, end = text.length) => {
    let count = 0;
    let letters = 0;
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i);
      if (isLetter(code)) {
        if (letters++ % LETTERS_PER_TOKEN === 0) count++;
        continue;
      }
      letters = 0;
      if (!isSpace(code)) count++;
    }
    return count;
  },
  addsUpAt: (text, index) => !isLetter(text.charCodeAt(index)) || !isLetter(text.charCodeAt(index - 1)),
};

/** Letters, digits and marks, roughly: what is neither ASCII sign nor ideograph nor white space nor general punctuation. */
function isLetter(code: number): boolean {
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
  return code >= 0xc0 && !(code >= 0x2000 && code < 0x2c00) && !isIdeographic(code) && !isSpace(code);
}
