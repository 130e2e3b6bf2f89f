/** @file An answer whose every statement points at its source, or says that it has none. */

import type { PackedContext, PackedSpan } from "../retrieval/index.js";
import { sentences } from "../text/index.js";
import { citations } from "./citations.js";
import { type EvidenceOptions, evidence, type Found, usualLimit } from "./evidence.js";
import { checkedQuotes, overlap, type Quote, type SourceOf } from "./quote.js";

/** A statement of an answer. Without a quote it has no support in the documents. */
export interface Statement {
  readonly text: string;
  readonly quotes: readonly Quote[];
}

export interface Answer {
  readonly statements: readonly Statement[];
  /** Whether every statement has a quote, and there is at least one. */
  readonly isSupported: boolean;
  /** What a model wrote, as it wrote it; absent for answers that are quotes alone. */
  readonly written?: string;
}

const answerOf = (statements: readonly Statement[]): Answer => ({
  statements,
  isSupported: statements.length > 0 && statements.every(({ quotes }) => quotes.length > 0),
});

/**
 * The sentences that say most of what is asked, in their own words: no model, so nothing that the documents do not say.
 * No statement where nothing comes near (`minCoverage`).
 * @param questions one question, or one and the same put otherwise: quotes for the first come first.
 * @throws DataError when a document is no longer what was indexed.
 */
export async function quoteAnswer(
  questions: string | readonly string[],
  passages: readonly Found[],
  sourceOf: SourceOf,
  options: EvidenceOptions = {},
): Promise<Answer> {
  const { limit = usualLimit } = options;
  const found = [questions].flat().flatMap((question) => evidence(question, passages, options));
  const isNew = (quote: Quote, i: number): boolean => !found.slice(0, i).some((before) => overlap(before, quote));
  return quotesAnswer(await checkedQuotes(found.filter(isNew).slice(0, limit), sourceOf));
}

/** Quotes as an answer, each a statement. */
export const quotesAnswer = (quotes: readonly Quote[]): Answer =>
  answerOf(quotes.map((quote) => ({ text: quote.text, quotes: [quote] })));

/** Writes text after a prompt. */
export type Write = (prompt: string, signal?: AbortSignal) => Promise<string>;

/** What a model is told. */
export const answerPrompt = (
  question: string,
  context: string,
): string => `Passages of documents, each after its number:

${context}

Answer the question from these passages alone. After each statement give the number of the passage that says so and the words it rests on, copied exactly, like this: [2: "the exact words"]. If the passages do not say, write only: ${NOT_SAID}

Question: ${question}
Answer:`;

/** What a model is asked to write where passages do not say. */
export const NOT_SAID = "The documents do not say.";

/**
 * An answer that a model writes from packed passages. Of each citation the quote must stand in its passage exactly; for a
 * passage that is cited without words, its sentence that says most of the statement is the quote, if one says enough. A
 * statement whose citations do not hold keeps no quote.
 * @throws DataError when a document is no longer what was indexed. What `write` throws passes through.
 */
export async function writtenAnswer(
  question: string,
  { text, spans }: Pick<PackedContext, "text" | "spans">,
  { write, sourceOf, signal }: { readonly write: Write; readonly sourceOf: SourceOf; readonly signal?: AbortSignal },
): Promise<Answer> {
  const written = (await write(answerPrompt(question, text), signal)).trim();
  if (written === "" || written.startsWith(NOT_SAID)) return { ...answerOf([]), written };
  const statements: Statement[] = [];
  for (const { statement, cited } of citations(written)) {
    const quotes = cited.flatMap(({ number, words }) => {
      const span = spans.find((one) => one.number === number);
      return span ? supportOf(statement, span, words) : [];
    });
    statements.push({ text: statement, quotes: await checkedQuotes(quotes, sourceOf) });
  }
  return { ...answerOf(statements), written };
}

/**
 * What a model wrote from documents as statements, sentence by sentence, each with the sentence of the documents that says
 * most of it, if one says enough. For texts that were not written from numbered passages; post-hoc attribution as in
 * Gao et al. 2022 (RARR, arXiv:2210.08726), without the revision.
 * @param find passages that may say so.
 * @throws DataError when a document is no longer what was indexed. What `find` throws passes through.
 */
export async function attributedAnswer(
  written: string,
  find: (statement: string) => Promise<readonly Found[]>,
  sourceOf: SourceOf,
): Promise<Answer> {
  const statements: Statement[] = [];
  for (const { start, end } of sentences(written)) {
    const text = written.slice(start, end);
    const quotes = evidence(text, await find(text), { limit: 1, minCoverage: SAYS_SO });
    statements.push({ text, quotes: await checkedQuotes(quotes, sourceOf) });
  }
  return { ...answerOf(statements), written };
}

/** Share of a statement's terms that a sentence must hold to be its quote where a model copies no words. */
const SAYS_SO = 0.5;

function supportOf(statement: string, span: PackedSpan, words: string | undefined): Quote[] {
  const { path, start, text, headingPath, page } = span;
  if (words === undefined) return evidence(statement, [{ chunk: span, score: 1 }], { limit: 1, minCoverage: SAYS_SO });
  const at = words === "" ? -1 : text.indexOf(words);
  if (at < 0) return [];
  const place = { path, start: start + at, end: start + at + words.length, text: words };
  return [{ ...place, headingPath, ...(page !== undefined && { page }) }];
}
