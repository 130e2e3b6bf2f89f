/** @file Questions to the index of a Studio, with the reasons of what was found. */

import type { Answer, Quote } from "../../answer/index.js";
import { DataError } from "../../base/errors.js";
import type { Passage, StoredChunk } from "../../retrieval/index.js";
import { matchedWords } from "../../server/matches.js";
import { Refusal } from "../../server/refusal.js";
import type { AskService } from "../../server/studio/service.js";
import type {
  AskedQuote,
  AskedStatement,
  AskResponse,
  ConsideredPassage,
  ListPlace,
} from "../../server/studio/wire/index.js";
import type { Span } from "../../text/index.js";
import type { OpenKnowledge } from "./open-knowledge.js";

/** Passages that a person is shown: enough to see what came close, few enough to read. */
const PASSAGES = 8;

export class AskControl implements AskService {
  readonly #knowledge: OpenKnowledge;

  constructor(knowledge: OpenKnowledge) {
    this.#knowledge = knowledge;
  }

  async ask(question: string, signal: AbortSignal): Promise<AskResponse> {
    const start = performance.now();
    const knowledge = await this.#knowledge.get();
    const { answer, retrieved } = await ifUnchanged(knowledge.ask(question, { passages: PASSAGES, signal }));
    return {
      question,
      statements: statementsOf(question, answer),
      passages: retrieved.passages.map((passage) => considered(question, passage, answer)),
      numChunks: await knowledge.store.count(),
      seconds: (performance.now() - start) / 1000,
    };
  }
}

/** @throws Refusal 409 where documents are no longer as they were indexed. */
export async function ifUnchanged<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (thrown) {
    if (!(thrown instanceof DataError)) throw thrown;
    throw new Refusal(409, `${thrown.message} (on the first view: "Look for changes")`);
  }
}

/** What a written or quoted answer says, as the page shows it. */
export function statementsOf(question: string, { statements }: Pick<Answer, "statements">): AskedStatement[] {
  return statements.map(({ text, quotes }) => ({
    text,
    quotes: quotes.map((quote) => quoted(question, quote)),
  }));
}

function quoted(question: string, { path, start, end, text, headingPath, page }: Quote | StoredChunk): AskedQuote {
  const matches = matchedWords(question, text);
  return { path, start, end, text, headingPath, ...(page !== undefined && { page }), matches };
}

function considered(question: string, { chunk, trace }: Passage, answer: Answer): ConsideredPassage {
  const place = (by: "text" | "vector"): ListPlace | undefined => {
    const found = trace.found.find((one) => one.by === by);
    return found && { rank: found.rank, score: found.score };
  };
  const [words, meaning] = [place("text"), place("vector")];
  const quotes = answer.statements.flatMap((statement) => statement.quotes);
  return {
    ...quoted(question, chunk),
    ...(words && { words }),
    ...(meaning && { meaning }),
    fused: { rank: trace.fused.rank, score: trace.fused.score },
    isQuoted: quotes.some((quote) => quote.path === chunk.path && isWithin(quote, chunk)),
  };
}

export const isWithin = (quote: Quote, chunk: Span): boolean => quote.start >= chunk.start && quote.end <= chunk.end;
