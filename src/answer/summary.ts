/** @file The sentences of documents that sum them up: what each opens with, and what it alone says. */

import type { StoredChunk } from "../retrieval/index.js";
import { rankTexts } from "../retrieval/rank-texts.js";
import { documentTerms, queryTerms } from "../retrieval/terms.js";
import type { Span } from "../text/index.js";
import type { Found } from "./evidence.js";
import { proseSentences, withoutMarkup } from "./prose.js";
import type { Quote } from "./quote.js";

/** A document with what says under which headings and on which page a sentence is; both in the order of their starts. */
export interface SummaryDocument {
  readonly path: string;
  readonly text: string;
  readonly sections: readonly Pick<StoredChunk, "start" | "headingPath">[];
  readonly chunks: readonly Pick<StoredChunk, "start" | "page">[];
}

/** What a summary is to be about, and the passages that were found for it. */
export interface SummaryTopic {
  readonly topic: string;
  readonly passages: readonly Found[];
}

/**
 * Weight of a document's first sentence beside the most that another can have. Of the planted statements that tuning may
 * see, at a quote for each document, 0.06 keeps 0.71 (English) and 0.83 (Chinese), with two 0.92 and 1; 0.1 keeps 0.46,
 * 0.17, 0.83 and 1. Without any, documents are not said to be about anything.
 */
const OPENING_WEIGHT = 0.06;
/** What half the score of the best passage is worth beside the words of the topic that a sentence holds, as for evidence. */
const PASSAGE_WEIGHT = 0.5;

/**
 * Sentences in the order in which they are worth most, at most `limit` of them; no text twice.
 *
 * The worth of a set is, summed over documents, the root of the summed worth of its sentences there: a monotone submodular
 * function, which spreads the choice over documents (Lin and Bilmes, "A class of submodular functions for document
 * summarization", ACL 2011, eq. 7, a cluster being a document) and is chosen from greedily. Without a topic a sentence
 * is worth the mean self-information of its words among all sentences, as far as they are no markup: what nothing else in
 * the folder says, as Li et al. 2023 (arXiv:2310.06201) filter by. With one, it is what BM25 gives it for the topic, and
 * the score of its passage.
 */
export function keySentences(documents: readonly SummaryDocument[], limit: number, about?: SummaryTopic): Quote[] {
  const sentences = documents.map(sentencesOf);
  const worths = about ? topicWorths(sentences.flat(), about) : informationWorths(sentences.flat());
  let next = 0;
  const candidates = sentences.map((own) =>
    own.map((sentence, i): Candidate => {
      const bonus = i === 0 && !about ? OPENING_WEIGHT : 0;
      return { ...sentence, worth: worths[next++]!, bonus };
    }),
  );
  return ordered(candidates, limit).map(quoteOf);
}

interface Sentence {
  readonly document: SummaryDocument;
  readonly span: Span;
  readonly text: string;
}

interface Candidate extends Sentence {
  /** Beside others of its document it counts less. */
  readonly worth: number;
  /** Counts in full. */
  readonly bonus: number;
}

const sentencesOf = (document: SummaryDocument): Sentence[] =>
  proseSentences(document.text).map((span) => ({ document, span, text: document.text.slice(span.start, span.end) }));

/**
 * Mean of ln(1 + N / n) for n of N sentences that hold a word, beside the highest; one word more that says nothing keeps
 * sentences of two or three words behind those that say as much with more.
 */
function informationWorths(candidates: readonly Sentence[]): number[] {
  const terms = candidates.map(({ text }) => [...queryTerms(withoutMarkup(text)).keys()]);
  const holding = new Map<string, number>();
  for (const term of terms.flat()) holding.set(term, (holding.get(term) ?? 0) + 1);
  const means = terms.map((own) => {
    const total = own.reduce((sum, term) => sum + Math.log(1 + candidates.length / holding.get(term)!), 0);
    return total / (own.length + 1);
  });
  return scaled(means);
}

function topicWorths(candidates: readonly Sentence[], { topic, passages }: SummaryTopic): number[] {
  const best = Math.max(...passages.map(({ score }) => score));
  const near = candidates.map(({ document: { path }, span }) => {
    const holding = passages.filter(({ chunk }) => chunk.path === path && meets(chunk, span));
    return Math.max(0, ...holding.map(({ score }) => score / best));
  });
  const own = new Array<number>(candidates.length).fill(0);
  for (const { key, score } of rankTexts(
    topic,
    candidates.map(({ text }) => text),
  ))
    own[key] = score;
  const asked = [...queryTerms(topic).keys()];
  return scaled(own).map((words, i) => {
    const headings = headingTerms(candidates[i]!);
    const isAbout = words > 0 || asked.some((term) => headings.has(term));
    return isAbout && near[i]! > 0 ? words + PASSAGE_WEIGHT * near[i]! : 0;
  });
}

const meets = ({ start, text }: Pick<StoredChunk, "start" | "text">, span: Span): boolean =>
  span.start < start + text.length && start < span.end;

const headingTerms = (sentence: Sentence): ReadonlyMap<string, number> =>
  documentTerms(headingsOf(sentence).join("\n")).counts;

const headingsOf = ({ document: { sections }, span }: Pick<Sentence, "document" | "span">): readonly string[] =>
  sections.findLast(({ start }) => start <= span.start)?.headingPath ?? [];

function scaled(values: readonly number[]): number[] {
  const most = values.reduce((high, value) => Math.max(high, value), 0);
  return most === 0 ? [...values] : values.map((value) => value / most);
}

/** Sentences of one document that are worth something, and those of them that are taken. */
class Choice {
  #total = 0;
  readonly #left: Set<Candidate>;
  #best: { readonly candidate: Candidate; readonly gain: number } | undefined;

  constructor(candidates: readonly Candidate[]) {
    this.#left = new Set(candidates);
  }

  /** What adds most to those taken; undefined where nothing is left. */
  get best(): { readonly candidate: Candidate; readonly gain: number } | undefined {
    if (this.#best) return this.#best;
    for (const candidate of this.#left) {
      const gain = Math.sqrt(this.#total + candidate.worth) - Math.sqrt(this.#total) + candidate.bonus;
      if (!this.#best || gain > this.#best.gain) this.#best = { candidate, gain };
    }
    return this.#best;
  }

  take(candidate: Candidate): void {
    this.#total += candidate.worth;
    this.drop(candidate);
  }

  drop(candidate: Candidate): void {
    this.#left.delete(candidate);
    this.#best = undefined;
  }
}

/** Greedily by gain. What a sentence adds depends on those of its own document alone, so only these are looked at again. */
function ordered(documents: readonly (readonly Candidate[])[], limit: number): Candidate[] {
  const choices = documents.map((candidates) => new Choice(candidates.filter(({ worth }) => worth > 0)));
  const said = new Set<string>();
  const order: Candidate[] = [];
  while (order.length < limit) {
    let from: Choice | undefined;
    for (const choice of choices) if ((choice.best?.gain ?? 0) > (from?.best?.gain ?? 0)) from = choice;
    const candidate = from?.best?.candidate;
    if (!from || !candidate) break;
    if (said.has(candidate.text)) from.drop(candidate);
    else {
      said.add(candidate.text);
      from.take(candidate);
      order.push(candidate);
    }
  }
  return order;
}

function quoteOf({ document, span, text }: Sentence): Quote {
  const page = document.chunks.findLast(({ start }) => start <= span.start)?.page;
  return {
    path: document.path,
    ...span,
    text,
    headingPath: headingsOf({ document, span }),
    ...(page !== undefined && { page }),
  };
}
