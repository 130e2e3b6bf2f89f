/** @file Follow-up questions made by rule: two questions of one paragraph of XQuAD, the second without what both are about. */

import { isFunctionWord } from "../../../src/retrieval/terms.js";
import { porter2, type Span, words } from "../../../src/text/index.js";
import type { Passages } from "../material.js";

export interface FollowUpPair {
  readonly first: string;
  /** As it was asked. */
  readonly whole: string;
  /** Words of the first one are left out; `it` or 它 stands in their place. */
  readonly dropped: string;
  /** Place of the paragraph of both. */
  readonly paragraph: number;
  /** Of the second one, in it. */
  readonly answer: Span;
}

/** Words that ask, which two questions share whatever they are about. */
const asking =
  /^(?:什么|哪些|哪个|哪一|多少|怎么|怎样|为什么|如何|何时|哪里|哪年|几|谁|是否|可以|没有|一个|这个|他们|它们)/u;

/** Neighbouring questions that share a word and are about something else besides. */
export function followUpPairs({ questions }: Passages): FollowUpPair[] {
  return questions.flatMap(({ question, paragraph }, i) => {
    const next = questions[i + 1];
    if (next?.paragraph !== paragraph) return [];
    const dropped = withoutShared(next.question, question);
    return dropped === undefined
      ? []
      : [{ first: question, whole: next.question, dropped, paragraph, answer: next.answer }];
  });
}

function withoutShared(question: string, first: string): string | undefined {
  const known = new Set(tellingWords(first).map(({ stem }) => stem));
  const own = tellingWords(question);
  const shared = own.filter(({ stem }) => known.has(stem));
  if (shared.length === 0 || shared.length === own.length) return undefined;
  const pronoun = /\p{sc=Han}/u.test(question) ? "" : "it";
  let [text, from] = ["", 0];
  for (const { start, end } of shared) {
    const between = question.slice(from, start);
    // words in a row give one pronoun
    text += from > 0 && between.trim() === "" ? "" : between + pronoun;
    from = end;
  }
  return text + question.slice(from);
}

function tellingWords(text: string): { start: number; end: number; stem: string }[] {
  return [...words(text)].flatMap(({ start, end }) => {
    const word = text.slice(start, end);
    const isTelling = /\p{sc=Han}/u.test(word) ? word.length > 1 && !asking.test(word) : !isFunctionWord(word);
    return isTelling ? [{ start, end, stem: porter2(word.toLowerCase()) }] : [];
  });
}
