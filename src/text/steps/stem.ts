/** @file English words by their stems. */

import { porter2 } from "../english/porter2.js";
import { latinWords, plainWord } from "../english/words.js";
import type { TextStep } from "../step.js";
import { replaceMatches } from "../step.js";

/** Replaces each word in Latin letters by its Porter2 stem, in lower case. For English; other languages want other rules. */
export function stem(): TextStep {
  return { name: "stem", edits: (text) => replaceMatches(text, latinWords, ([word]) => porter2(plainWord(word))) };
}
