/** @file English lemmas: exceptions first, then rules for -s, -ing, -ed, -er and -est. */

import { takesFinalE } from "./final-e.js";
import { irregularAdjectives, irregularNouns, irregularVerbs, unchanged } from "./irregular.js";

/** What a word is in its sentence. */
export type PartOfSpeech = "noun" | "verb" | "adjective";

/**
 * The lemma of an English word in lower case: `children` → `child`, `hoped` → `hope`, `biggest` → `big`.
 *
 * @param partOfSpeech decides between readings: `leaves` as a noun is `leaf`, as a verb `leave`. Without it irregular nouns
 * in -s come first, then irregular verbs (`saw` → `see`, `left` → `leave`), other irregular nouns and adjectives, then the rules for -s, -ing
 * and -ed; -er and -est are then left, since most words that end so are no comparatives. An 's goes, whatever it stands
 * for: expand contractions first.
 *
 * Whether an e belongs to a verb is told from its spelling (`rated` → `rate`, `heated` → `heat`), as in Minnen, Carroll and
 * Pearce, "Applied morphological processing of English", 2001; there is no dictionary behind it, and rare verbs may get it wrong.
 */
export function lemmaOf(word: string, partOfSpeech?: PartOfSpeech): string {
  if (word.endsWith("'s")) return lemmaOf(word.slice(0, -2), partOfSpeech);
  switch (partOfSpeech) {
    case "noun":
      return irregularNouns.get(word) ?? (unchanged.has(word) ? word : singular(word));
    case "verb":
      return irregularVerbs.get(word) ?? (unchanged.has(word) ? word : infinitive(word));
    case "adjective":
      return irregularAdjectives.get(word) ?? positive(word);
    case undefined: {
      const noun = irregularNouns.get(word);
      if (noun !== undefined && word.endsWith("s")) return noun;
      const irregular = irregularVerbs.get(word) ?? noun ?? irregularAdjectives.get(word);
      return irregular ?? (unchanged.has(word) ? word : infinitive(word));
    }
    default:
      return partOfSpeech satisfies never;
  }
}

/** Verbs in -use: other words in -uses lose both letters of their ending. */
const withUse = /^(?:re|mis|over|dis|ab|acc|exc|f|def|diff|inf|ref|transf|suff|conf|am|bem|m|r|recl|per|hypoten)?use$/;

/** Takes off the -s of a plural or a third person. */
function singular(word: string): string {
  if (word.length < 4 ? !/^[^aeiou][aeiou]?[^aeiou]s$/.test(word) : !word.endsWith("s")) return word;
  if (/(?:ss|us|is)$/.test(word)) return word;
  if (word.endsWith("ies")) return word.length > 4 ? `${word.slice(0, -3)}y` : word.slice(0, -1);
  if (/(?:ss|x|[^aeiou]z|tz|sh|ch|[^aeiou]o)es$/.test(word)) return word.slice(0, -2);
  const base = word.slice(0, -1);
  return /[^ao]use$/.test(base) && !withUse.test(base) ? base.slice(0, -1) : base;
}

/** Takes off -s, -ing or -ed. */
function infinitive(word: string): string {
  if (word.endsWith("s")) return singular(word);
  const stem = /^(.+)(?:ing|ed)$/.exec(word)?.[1];
  if (stem === undefined || !/[aeiouy]/.test(stem) || stem.length < 2) return word;
  if (word.endsWith("ied")) return `${stem.slice(0, -1)}y`;
  return restored(stem);
}

/** The infinitive from a verb without -ing or -ed. */
function restored(stem: string): string {
  if (/([bdgmnprt])\1$/.test(stem)) return stem.slice(0, -1);
  if (/(?:[aeiou][^aeiou]+u?|[^q]u|i)[aeiou]ll$/.test(stem)) return stem.slice(0, -1);
  return takesFinalE(stem) ? `${stem}e` : stem;
}

/** Takes off -er or -est. */
function positive(word: string): string {
  const stem = /^(.+)(?:er|est)$/.exec(word)?.[1];
  if (stem === undefined || !/[aeiouy]/.test(stem) || stem.length < 2) return word;
  if (stem.endsWith("i")) return `${stem.slice(0, -1)}y`;
  return restored(stem);
}
