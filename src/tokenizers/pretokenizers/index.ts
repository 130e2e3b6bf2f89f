/** @file The pre-tokenizers of tokenizer.json by type, and how their descriptions are read. */

import { z } from "zod";
import { UnsupportedError } from "../../base/errors.js";
import { parseEntry } from "../json-entry.js";
import { bertWords, betweenDelimiters, betweenWhiteSpace, punctuationAlone, wordsAndSymbols } from "./by-class.js";
import type { CharClasses } from "./char-classes.js";
import { Cl100kPretokenizer, cl100kPattern } from "./cl100k.js";
import { DigitsPretokenizer } from "./digits.js";
import { fixedLength } from "./fixed-length.js";
import { Gpt2Pretokenizer, gpt2Pattern } from "./gpt2.js";
import type { Pretokenizer } from "./pretokenizer.js";
import { punctuationPattern } from "./punctuation.js";
import { patternOf, patternSchema } from "./regex-syntax.js";
import { sameScript } from "./scripts.js";
import { SplitPretokenizer, splitBehaviors } from "./split.js";

type PretokenizerReader = (entry: unknown, classes: CharClasses) => Pretokenizer;

const digitsSchema = z.strictObject({ type: z.literal("Digits"), individual_digits: z.boolean() });
const punctuationSchema = z.strictObject({
  type: z.literal("Punctuation"),
  behavior: z.enum(splitBehaviors).default("Isolated"),
});
const delimiterSchema = z.strictObject({ type: z.literal("CharDelimiterSplit"), delimiter: z.string().min(1) });
const lengthSchema = z.strictObject({ type: z.literal("FixedLength"), length: z.int().positive() });
const splitSchema = z.strictObject({
  type: z.literal("Split"),
  pattern: patternSchema,
  behavior: z.enum(splitBehaviors),
  invert: z.boolean(),
});

/** Pre-tokenizers by their type in tokenizer.json; those that change the text too are in steps.ts. */
export const pretokenizerTypes = {
  BertPreTokenizer: bertWords,
  CharDelimiterSplit: (entry) =>
    betweenDelimiters(parseEntry(delimiterSchema, entry, "pre_tokenizer CharDelimiterSplit").delimiter),
  Digits: readDigits,
  FixedLength: (entry) => fixedLength(parseEntry(lengthSchema, entry, "pre_tokenizer FixedLength").length),
  Punctuation: readPunctuation,
  Split: readSplit,
  UnicodeScripts: sameScript,
  Whitespace: wordsAndSymbols,
  WhitespaceSplit: betweenWhiteSpace,
} as const satisfies Record<string, PretokenizerReader>;

/**
 * The pre-tokenizer that an entry of tokenizer.json describes.
 * @throws UnsupportedError on a type that is not in the registry.
 */
export function readPretokenizer(entry: { readonly type: string }, classes: CharClasses): Pretokenizer {
  const read: PretokenizerReader | undefined = Object.entries(pretokenizerTypes).find(
    ([type]) => type === entry.type,
  )?.[1];
  if (read === undefined) {
    const known = [...Object.keys(pretokenizerTypes), "ByteLevel", "Metaspace", "Sequence"].join(", ");
    throw new UnsupportedError(`tokenizer.json: pre-tokenizer ${entry.type} is not supported; known are ${known}`);
  }
  return read(entry, classes);
}

function readDigits(entry: unknown, classes: CharClasses): Pretokenizer {
  return new DigitsPretokenizer(classes, parseEntry(digitsSchema, entry, "pre_tokenizer Digits").individual_digits);
}

function readPunctuation(entry: unknown): Pretokenizer {
  const { behavior } = parseEntry(punctuationSchema, entry, "pre_tokenizer Punctuation");
  return behavior === "Isolated" ? punctuationAlone() : new SplitPretokenizer(punctuationPattern, behavior, false);
}

function readSplit(entry: unknown, classes: CharClasses): Pretokenizer {
  const { pattern, behavior, invert } = parseEntry(splitSchema, entry, "pre_tokenizer Split");
  const regex = "Regex" in pattern ? pattern.Regex : undefined;
  // these patterns match all of a text, so that it does not matter what happens between matches
  const keepsMatches = invert ? behavior === "Removed" : behavior === "Isolated";
  if (keepsMatches && regex === gpt2Pattern) return new Gpt2Pretokenizer(classes);
  if (keepsMatches && regex === cl100kPattern(3)) return new Cl100kPretokenizer(classes, 3);
  if (keepsMatches && regex === cl100kPattern(1)) return new Cl100kPretokenizer(classes, 1);
  return new SplitPretokenizer(patternOf(pattern), behavior, invert);
}
