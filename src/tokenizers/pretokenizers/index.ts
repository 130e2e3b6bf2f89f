/** @file The pre-tokenizers of tokenizer.json by type, and how their descriptions are read. */

import { z } from "zod";
import { UnsupportedError } from "../../base/errors.js";
import { parseEntry } from "../json-entry.js";
import type { CharClasses } from "./char-classes.js";
import { Cl100kPretokenizer, cl100kPattern } from "./cl100k.js";
import { DigitsPretokenizer } from "./digits.js";
import { Gpt2Pretokenizer, gpt2Pattern } from "./gpt2.js";
import type { Pretokenizer } from "./pretokenizer.js";
import { toRegExp } from "./regex-syntax.js";
import { SplitPretokenizer, splitBehaviors } from "./split.js";

type PretokenizerReader = (entry: unknown, classes: CharClasses) => Pretokenizer;

const digitsSchema = z.strictObject({ type: z.literal("Digits"), individual_digits: z.boolean() });
const splitSchema = z.strictObject({
  type: z.literal("Split"),
  pattern: z.union([z.strictObject({ String: z.string() }), z.strictObject({ Regex: z.string() })]),
  behavior: z.enum(splitBehaviors),
  invert: z.boolean(),
});

/** Pre-tokenizers by their type in tokenizer.json. */
export const pretokenizerTypes = { Digits: readDigits, Split: readSplit } as const satisfies Record<
  string,
  PretokenizerReader
>;

/**
 * The pre-tokenizer that an entry of tokenizer.json describes.
 * @throws UnsupportedError on a type that is not in the registry.
 */
export function readPretokenizer(entry: { readonly type: string }, classes: CharClasses): Pretokenizer {
  const read = Object.entries(pretokenizerTypes).find(([type]) => type === entry.type)?.[1];
  if (read === undefined) {
    const known = Object.keys(pretokenizerTypes).join(", ");
    throw new UnsupportedError(`tokenizer.json: pre-tokenizer ${entry.type} is not supported here; known are ${known}`);
  }
  return read(entry, classes);
}

function readDigits(entry: unknown, classes: CharClasses): Pretokenizer {
  return new DigitsPretokenizer(classes, parseEntry(digitsSchema, entry, "pre_tokenizer Digits").individual_digits);
}

function readSplit(entry: unknown, classes: CharClasses): Pretokenizer {
  const { pattern, behavior, invert } = parseEntry(splitSchema, entry, "pre_tokenizer Split");
  const regex = "Regex" in pattern ? pattern.Regex : pattern.String.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  // these patterns match all of a text, so that it does not matter what happens between matches
  const keepsMatches = invert ? behavior === "Removed" : behavior === "Isolated";
  if (keepsMatches && regex === gpt2Pattern) return new Gpt2Pretokenizer(classes);
  if (keepsMatches && regex === cl100kPattern(3)) return new Cl100kPretokenizer(classes, 3);
  if (keepsMatches && regex === cl100kPattern(1)) return new Cl100kPretokenizer(classes, 1);
  return new SplitPretokenizer(toRegExp(regex), behavior, invert);
}
