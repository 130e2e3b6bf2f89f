/** @file Punctuation: removed, set apart by spaces, or written in ASCII. */

import type { TextStep } from "../step.js";
import { replaceMatches } from "../step.js";

export interface PunctuationOptions {
  /**
   * `remove` (default); `separate`: a space on each side that has none, so that marks become words; `ascii`: typographic
   * and full-width marks become those of a keyboard (“ ” 「 」 → ", ’ → ', – — → -, … → ..., 。 → ., ， → ,).
   */
  readonly mode?: "remove" | "separate" | "ascii";
  /** `remove` and `separate` leave marks between two letters or digits: don't, 3.14, well-known. Default false. */
  readonly keepsInWords?: boolean;
}

/** General category P. Symbols (`$ + < = > ^ | ~` and the backquote) are not punctuation. */
const mark = /\p{P}/gu;
const markNotInWord = /(?<![\p{L}\p{M}\p{N}])\p{P}|\p{P}(?![\p{L}\p{M}\p{N}])/gu;

/** Each row: characters and the ASCII that they become. */
const rows: readonly (readonly [from: string, to: string])[] = [
  ["‘’‚‛′ʼ", "'"],
  ["“”„‟″«»「」『』〝〞〟", '"'],
  ["‐‑‒–—―−", "-"],
  ["…", "..."],
  ["。｡", "."],
  ["、､", ","],
  ["【〔", "["],
  ["】〕", "]"],
  ["《〈‹", "<"],
  ["》〉›", ">"],
];
/** Full-width forms lie at this distance from the ASCII characters that they are a form of. */
const fullWidthDistance = 0xfee0;
const fullWidth = /[\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e]/u;
const inAscii = new Map(rows.flatMap(([from, to]) => [...from].map((character) => [character, to] as const)));
const typographic = new RegExp(`[${[...inAscii.keys()].join("")}]|${fullWidth.source}`, "gu");

/** Changes punctuation. */
export function punctuation({ mode = "remove", keepsInWords = false }: PunctuationOptions = {}): TextStep {
  const pattern = keepsInWords ? markNotInWord : mark;
  const name = "punctuation";
  if (mode === "ascii")
    return { name, edits: (text) => replaceMatches(text, typographic, ([match]) => toAscii(match)) };
  if (mode === "remove") return { name, edits: (text) => replaceMatches(text, pattern, () => "") };
  return { name, edits: (text) => replaceMatches(text, pattern, (match) => setApart(text, match)) };
}

function toAscii(character: string): string {
  return inAscii.get(character) ?? String.fromCharCode(character.charCodeAt(0) - fullWidthDistance);
}

/** A mark before this one has brought the space between them. */
function setApart(text: string, { index, 0: match }: RegExpExecArray): string {
  const end = index + match.length;
  const before = /[^\s\p{P}]$/u.test(text.slice(Math.max(0, index - 2), index)) ? " " : "";
  const after = /^\S/.test(text.charAt(end)) ? " " : "";
  return before + match + after;
}
