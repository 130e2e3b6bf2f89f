/** @file Words of running text that rules for English apply to. */

/**
 * Words in Latin letters, with apostrophes between letters (don't, dog’s). A word with digits or other scripts in it does
 * not match, nor does a part of it.
 */
export const latinWords =
  /(?<![\p{L}\p{M}\p{N}])(?:\p{sc=Latin}\p{M}*)+(?:['’](?:\p{sc=Latin}\p{M}*)+)*(?![\p{L}\p{M}\p{N}])/gu;

/** A word as the rules take it: lower case, straight apostrophes. */
export function plainWord(word: string): string {
  return word.toLowerCase().replaceAll("’", "'");
}
