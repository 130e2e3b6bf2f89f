/** @file One question to several: a rewriter that needs no model, and the type of those that have one. */
import { isFunctionWord } from "./terms.js";

/**
 * Further questions to search by, without the one given. A language model may write them, as in RAG-Fusion (Rackauckas 2024,
 * arXiv:2402.03367); what is returned is searched beside the question, never in its place.
 */
export type Rewrite = (question: string, signal?: AbortSignal) => readonly string[] | Promise<readonly string[]>;

const conjunction = "(?:and|or|but|y|o|pero|und|oder|aber|et|ou|mais)";

/** Between the parts of a compound question; words only between spaces, so that no word is cut. */
const seams = new RegExp(
  String.raw`[?!;.？！；。，、]+|,\s(?:${conjunction}\s)?|\s${conjunction}\s|(?:以及|并且|而且|或者|还是|同时)`,
  "giu",
);

const words = /[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}'’-]*/gu;

/** Chinese has no spaces, so a part is long enough by characters. */
const fewestWords = 2;
const fewestCharacters = 4;

/**
 * The parts of a compound question, each a question of its own, and the words that tell what it is about: without those that
 * only say how it is put. Nothing where that leaves nothing new.
 */
export const splitQuestion = (question: string): string[] => {
  const parts = question
    .split(seams)
    .map((part) => part.trim())
    .filter(isTelling);
  const telling = tellingWords(question).join(" ");
  const whole = question.trim().replace(/[?？.。!！]+$/u, "");
  const all = [...(parts.length > 1 ? parts : []), ...(isTelling(telling) ? [telling] : [])];
  return [...new Set(all)].filter((rewritten) => rewritten !== whole);
};

/** Words that tell what a text is about, in order; of scripts without spaces whole runs. */
export const tellingWords = (text: string): string[] =>
  (text.match(words) ?? []).filter((word) => !isFunctionWord(word));

function isTelling(part: string): boolean {
  const telling = tellingWords(part);
  if (/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/u.test(part))
    return telling.join("").length >= fewestCharacters;
  return telling.length >= fewestWords;
}
