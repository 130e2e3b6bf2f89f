/** @file Evidence: the sentences of passages that say most of what a question asks for. */

import { isUnspaced } from "../retrieval/terms.js";
import { askedOf, hasFormOf } from "./asked.js";
import { type Candidate, candidatesOf, type Found } from "./candidates.js";
import { overlap, type Quote } from "./quote.js";

export type { Found } from "./candidates.js";

export interface EvidenceOptions {
  /** Most quotes. Default 3. */
  readonly limit?: number;
  /** Least coverage of the first quote; the others need half of it. Default 0.3. */
  readonly minCoverage?: number;
}

/** Quotes of an answer. */
export const usualLimit = 3;

/**
 * The sentences that say most of what is asked, from passages that were found first. The best first, none from the place of
 * another; each with the sentences beside it that say nearly as much, with the one before that its pronoun speaks of (if that
 * does not begin with one too), and with the code or the item that its colon announces.
 *
 * What a sentence says is the question's terms that it holds, rare ones counting more, less for their other forms and for
 * those in the sentences around it and in the headings, and something of the kind that the question asks for (a date for
 * *when*). Constants are rounded from a fit to half of XQuAD's articles and to the chunking evaluation's questions;
 * `docs/guides/answers.md` has the figures of the other half.
 */
export function evidence(
  question: string,
  passages: readonly Found[],
  { limit = usualLimit, minCoverage = 0.3 }: EvidenceOptions = {},
): Quote[] {
  const ranked = rankedOf(question, passages);
  const byScore = ranked.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score);
  const first = byScore.find(({ coverage }) => coverage >= minCoverage);
  if (!first) return [];
  const quotes: Quote[] = [];
  for (const one of [first, ...byScore.filter(({ coverage }) => coverage >= minCoverage / 2)]) {
    if (quotes.length === limit) break;
    if (isFree(one, quotes)) quotes.push(quoteAround(one, ranked, quotes));
  }
  return quotes;
}

/** What a term of the question counts by where it stands: in the sentence, there in another form, or around it. */
interface Worth {
  readonly own: number;
  readonly form: number;
  readonly before: number;
  readonly heading: number;
  readonly after: number;
}

/** To find the sentence: what was said before goes on in it more often than it announces what comes. */
const scoreWorth: Worth = { own: 1, form: 0.5, before: 0.4, heading: 0.5, after: 0.2 };
/** To tell whether its place says anything of what is asked. */
const coverageWorth: Worth = { own: 1, form: 0.5, before: 0.6, heading: 0.6, after: 0.6 };
/** What the score of the best passage is worth beside all of the question's terms. */
const PASSAGE_WEIGHT = 0.5;
/** Of a pair of characters in coverage, beside the characters themselves. */
const PAIR_WEIGHT = 0.1;

interface Ranked extends Candidate {
  /** Among all, in the order of the passages. */
  readonly index: number;
  readonly coverage: number;
  /** 0 without any term of the question. */
  readonly score: number;
}

function rankedOf(question: string, passages: readonly Found[]): Ranked[] {
  const candidates = passages.flatMap(candidatesOf);
  const { terms, isShownIn } = askedOf(question);
  const weights = weightsOf(terms, candidates);
  const parts = partsOf(weights, candidates);
  const showing = new Set(isShownIn && candidates.filter(({ text }) => isShownIn(text)));
  const shownWeight = isShownIn ? rarity(showing.size, candidates.length) : 0;
  const total = sum(weights.values()) + shownWeight;
  const best = Math.max(...passages.map(({ score }) => score));
  if (total === 0 || !(best > 0)) return [];
  return candidates.map((candidate, index) => {
    const isAbout = terms.some((term) => candidate.terms.has(term) || hasFormOf(term, candidate.terms));
    const said = worthOf(weights, candidate, scoreWorth) + (showing.has(candidate) ? shownWeight : 0);
    const score = said / total + PASSAGE_WEIGHT * (candidate.found.score / best);
    return {
      ...candidate,
      index,
      coverage: worthOf(parts, candidate, coverageWorth) / sum(parts.values()),
      score: isAbout && !isRepeated(question, candidate.text) ? candidate.kept * score : 0,
    };
  });
}

/** A text with the question in it asks, or shows how one asks. */
const isRepeated = (question: string, text: string): boolean =>
  /[?？]\s*$/u.test(question) && text.toLowerCase().includes(question.trim().toLowerCase());

/** BM25's weight of each term, among the candidates. */
function weightsOf(terms: Iterable<string>, candidates: readonly Candidate[]): Map<string, number> {
  const holding = (term: string): number => candidates.filter((candidate) => candidate.terms.has(term)).length;
  return new Map([...terms].map((term) => [term, rarity(holding(term), candidates.length)]));
}

/** ln(1 + (N - n + 0.5) / (n + 0.5)) for n of N. */
const rarity = (n: number, of: number): number => Math.log(1 + (of - n + 0.5) / (n + 0.5));

/** Weights in which pairs of characters count little beside the characters: a pair need not be a word. */
function partsOf(weights: ReadonlyMap<string, number>, candidates: readonly Candidate[]): Map<string, number> {
  const characters = [...weights.keys()].filter(isUnspaced).flatMap((term) => [...term]);
  const scaled = [...weights].map(
    ([term, weight]) => [term, isUnspaced(term) ? PAIR_WEIGHT * weight : weight] as const,
  );
  return new Map([...scaled, ...weightsOf(characters, candidates)]);
}

const worthOf = (weights: ReadonlyMap<string, number>, candidate: Candidate, worth: Worth): number =>
  sum(weights, ([term, weight]) => weight * shareOf(term, candidate, worth));

function shareOf(term: string, { terms, before, headings, after }: Candidate, worth: Worth): number {
  if (terms.has(term)) return worth.own;
  return Math.max(
    hasFormOf(term, terms) ? worth.form : 0,
    before.has(term) ? worth.before : 0,
    headings.has(term) ? worth.heading : 0,
    after.has(term) ? worth.after : 0,
  );
}

/** A neighbour with this share of a sentence's score is quoted with it. */
const JOINED_SHARE = 0.8;
const MOST_JOINED = 3;
/** Of a quote with what a sentence before it announces, in characters. */
const LONGEST_LED = 600;
/** At the beginning of a sentence it speaks of the one before. */
const pronoun =
  /^["“(]?(?:(?:he|she|it|they|this|these|that|those|his|her|its|their|él|ella|ellos|estas?|este|estos|esto|su|sus)(?!\p{L})|他|她|它|这|该|其|此)/iu;

function quoteAround(one: Ranked, ranked: readonly Ranked[], quotes: readonly Quote[]): Quote {
  const beside = (index: number): Ranked | undefined => {
    const other = ranked[index];
    return other?.block === one.block && !other.isRow && !one.isRow && isFree(other, quotes) ? other : undefined;
  };
  const isNearlyAsGood = (other: Ranked | undefined): other is Ranked =>
    other !== undefined && other.score >= JOINED_SHARE * one.score;
  let [first, last] = [one, one];
  for (let n = 1; n < MOST_JOINED; n++) {
    const around = [beside(first.index - 1), beside(last.index + 1)].filter(isNearlyAsGood);
    const [next] = around.sort((a, b) => b.score - a.score);
    if (!next) break;
    if (next.index < first.index) first = next;
    else last = next;
  }
  const spokenOf = pronoun.test(first.text) ? beside(first.index - 1) : undefined;
  if (spokenOf && !pronoun.test(spokenOf.text)) first = spokenOf;
  const announced = /[:：]$/u.test(last.text) ? ranked[last.index + 1] : undefined;
  const isOfSection = announced?.found === one.found && announced.block.headingPath === one.block.headingPath;
  if (isOfSection && isFree(announced, quotes) && announced.span.end - first.span.start <= LONGEST_LED)
    last = announced;
  const { path, page, start, text } = one.found.chunk;
  const span = { start: first.span.start, end: last.span.end };
  return {
    path,
    ...span,
    text: text.slice(span.start - start, span.end - start),
    headingPath: one.block.headingPath,
    ...(page !== undefined && { page }),
    coverage: one.coverage,
  };
}

const isFree = ({ found, span }: Candidate, quotes: readonly Quote[]): boolean =>
  !quotes.some((quote) => overlap(quote, { path: found.chunk.path, ...span }));

function sum<T>(values: Iterable<T>, of: (value: T) => number = Number): number {
  let total = 0;
  for (const value of values) total += of(value);
  return total;
}
