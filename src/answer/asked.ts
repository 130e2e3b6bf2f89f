/** @file What a question asks for: the terms that it is about, and what its answer looks like. */

import { isFunctionWord, isUnspaced, queryTerms } from "../retrieval/terms.js";

/** A kind of answer. */
interface AnswerKind {
  /** The words that ask for it; they say nothing of what the question is about. */
  readonly asks: RegExp;
  /** What such an answer has, in a sentence that need not be one; absent where anything may be. */
  readonly shows?: RegExp;
}

const months =
  "january|february|march|april|may|june|july|august|september|october|november|december|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre";
const numerals =
  "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|billion|half|third|quarter|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|cien|cientos|mil|millones|mitad|tercio";

/**
 * English, Chinese and Spanish; the first that is asked for counts. XQuAD's first quotes gain little by what answers show
 * (0.001 to 0.005); the words that ask, taken out, let coverage tell better what documents say.
 */
const kinds: Readonly<Record<string, AnswerKind>> = {
  time: {
    asks: /\bwhen\b|\b(?:what|which)(?: \w+)? (?:year|date|day|month|century|decade)\b|¿?(?<!\p{L})(?:cuándo|qué (?:año|fecha|día|mes|siglo|década))(?!\p{L})|何时|什么时候|(?:哪|什么|几)一?(?:年|天|个?月|日|世纪|时期|年代)/iu,
    shows: new RegExp(
      String.raw`(?<!\d)[12]\d{3}(?!\d)|\d0s\b|\d+ ?[年月]|世纪|年代|\bcentur|\bsiglo|\bdecade|\bdécada|\b(?:${months})\b`,
      "giu",
    ),
  },
  number: {
    asks: /\bhow (?:many|much|long|old|far|large|big|high|tall|fast|often)\b|\bwhat(?: \w+)? (?:percent|percentage|number|amount|age|size|share|rate|cost|price|score)\b|(?<!\p{L})(?:cuánt[oa]s?|qué (?:porcentaje|número|cantidad|edad|proporción))(?!\p{L})|多少|几(?=[个位名人种条次岁天倍架支所家座])|多(?=[大长高远久])/iu,
    shows: new RegExp(
      String.raw`\p{Nd}+(?:[.,]\p{Nd}+)*|\b(?:${numerals})\b|[一二三四五六七八九十百千万亿两半](?=[个位名人种条次年岁天月日倍架支所家座])`,
      "giu",
    ),
  },
  person: {
    asks: /\bwho(?:m|se)?\b|(?<!\p{L})quién(?:es)?(?!\p{L})|谁|何人|什么人|哪[位个]人/iu,
    shows: /(?<=\S\s+[("“‘]?)\p{Lu}\p{Ll}[\p{L}’'-]*|\p{sc=Han}+·\p{sc=Han}+/gu,
  },
  reason: {
    asks: /\bwhy\b|(?<!\p{L})por qué(?!\p{L})|为什么|为何/iu,
    shows:
      /\b(?:because|since|due to|owing to|in order to|as a result|so that|porque|debido|ya que|para que)\b|\b(?:caus|reason|razón)|因为|由于|因此|为了|以便|导致|原因/giu,
  },
  manner: {
    asks: /\bhow\b|(?<!\p{L})cómo(?!\p{L})|如何|怎么|怎样/iu,
    shows: /\b(?:by|through|using|via|mediante|usando|a través)\b|通过|利用|使用/giu,
  },
  thing: { asks: /\b(?:what|which|where)\b|(?<!\p{L})(?:qué|cuál(?:es)?|a?dónde)(?!\p{L})|什么|哪[些个里]?/iu },
};

export interface Asked {
  /** What the question is about, as an index has it. */
  readonly terms: readonly string[];
  /** Whether a sentence shows something of the kind that is asked for, and that the question does not say itself. */
  readonly isShownIn?: (sentence: string) => boolean;
}

/** Without the words that ask, unless there are no others. */
export function askedOf(question: string): Asked {
  const kind = Object.values(kinds).find(({ asks }) => asks.test(question));
  const about = kind ? question.replace(kind.asks, " ") : question;
  const terms = [...queryTerms(about).keys()];
  const said = question.toLowerCase();
  const { shows } = kind ?? {};
  return {
    terms: terms.some((term) => !isFunctionWord(term)) ? terms : [...queryTerms(question).keys()],
    ...(shows && {
      isShownIn: (sentence: string) =>
        [...sentence.matchAll(shows)].some(([found]) => !said.includes(found.toLowerCase())),
    }),
  };
}

/** Fewest letters that two forms of a word share at their beginning, and which part of the longer one they are. */
const SHORTEST_STEM = 4;
const STEM_SHARE = 0.6;

/**
 * Whether one of the terms begins as a word does, as its forms do that the stemmer does not bring together: naturalised and
 * naturalization, and most forms of Spanish: XQuAD's first quotes gain 0.02 to 0.03 by it in Spanish, up to 0.01 in English.
 */
export function hasFormOf(word: string, terms: ReadonlySet<string>): boolean {
  if (isUnspaced(word)) return false;
  for (const other of terms) {
    const fewest = Math.max(SHORTEST_STEM, Math.ceil(STEM_SHARE * Math.max(word.length, other.length)));
    if (word.length >= fewest && other.startsWith(word.slice(0, fewest))) return true;
  }
  return false;
}
