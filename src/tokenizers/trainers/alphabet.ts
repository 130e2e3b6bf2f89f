/** @file Which characters get a token of their own. */

import { ConfigError } from "../../base/errors.js";
import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import { checkInteger, type TrainingOptions } from "./training.js";
import type { WordCounts } from "./word-counts.js";

export interface AlphabetOptions extends Pick<TrainingOptions, "initialAlphabet" | "limitAlphabet"> {
  /** Share of all occurrences of characters that the alphabet covers, in (0, 1]. Default 1. */
  readonly characterCoverage?: number;
}

/**
 * The initial alphabet, then the characters of the words by falling frequency (the smaller code point first among
 * equals) until coverage or limit is reached; sorted by code point.
 * @throws ConfigError on a coverage outside (0, 1], a limit below the initial alphabet or an initial "character" of several.
 */
export function chooseAlphabet(trainer: string, words: WordCounts, options: AlphabetOptions): string[] {
  const { characterCoverage = 1, limitAlphabet } = options;
  const initial = [...new Set(options.initialAlphabet ?? [])];
  const several = initial.find((character) => [...character].length !== 1);
  if (several !== undefined) {
    throw new ConfigError(`${trainer} training: initialAlphabet must hold single characters, got "${several}"`);
  }
  if (!(characterCoverage > 0 && characterCoverage <= 1)) {
    throw new ConfigError(
      `${trainer} training: characterCoverage must be above 0 and at most 1, got ${characterCoverage}`,
    );
  }
  if (limitAlphabet !== undefined) checkInteger(trainer, "limitAlphabet", limitAlphabet, initial.length);
  const ranked = [...characterCounts(words)].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const enough = ranked.reduce((sum, [, count]) => sum + count, 0) * characterCoverage;
  const alphabet = new Set(initial);
  let covered = 0;
  for (const [codePoint, count] of ranked) {
    if (covered >= enough || alphabet.size === limitAlphabet) break;
    alphabet.add(String.fromCodePoint(codePoint));
    covered += count;
  }
  return [...alphabet].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
}

/** Occurrences by code point, lone surrogates counting as U+FFFD. */
export function characterCounts(words: WordCounts): Map<number, number> {
  const counts = new Map<number, number>();
  words.forEach((word, count) => {
    for (let i = 0; i < word.length; ) {
      const codePoint = codePointAt(word, i, word.length);
      counts.set(codePoint, (counts.get(codePoint) ?? 0) + count);
      i += utf16Width(codePoint);
    }
  });
  return counts;
}

/** Looks up a number for each code point of an alphabet; -1 for others. */
export function codePointTable(entries: Iterable<readonly [character: string, value: number]>): Int32Array {
  const table = new Int32Array(0x110000).fill(-1);
  for (const [character, value] of entries) table[character.codePointAt(0)!] = value;
  return table;
}
