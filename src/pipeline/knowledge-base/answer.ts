/** @file An answer from a folder: passages found, quoted, or given to a model whose quotes are checked. */

import {
  type Answer,
  answerPrompt,
  type EvidenceOptions,
  quoteAnswer,
  type Write,
  writtenAnswer,
} from "../../answer/index.js";
import { CapacityError } from "../../base/errors.js";
import { type ReadingModel, usualAnswerTokens } from "../../long/index.js";
import type { Retrieved, RetrieveOptions } from "../../retrieval/index.js";
import type { KnowledgeBase } from "./knowledge-base.js";

export interface AskOptions
  extends EvidenceOptions,
    Pick<RetrieveOptions, "by" | "filter" | "paths" | "mmr" | "rewrite" | "reranker" | "signal"> {
  /** Passages that are looked at. Default 8. */
  readonly passages?: number;
  /** Writes the answer from as many passages as its context holds. Default: the answer is quotes alone. */
  readonly model?: ReadingModel;
  /** Most tokens that the model writes. Default: a quarter of its context, at most 512. */
  readonly answerTokens?: number;
  /**
   * The question with what it takes from a conversation before it. It is searched too; a model answers it in place of the
   * question, and quotes for it follow those for the question.
   */
  readonly standalone?: string;
}

export interface Asked {
  readonly answer: Answer;
  /** Every passage with how it came to its place. */
  readonly retrieved: Retrieved;
}

/**
 * Answers a question from the documents of an index.
 * @throws DataError when a document has changed since it was indexed; CapacityError where question and answer leave no
 * room for passages in the model's context.
 */
export async function answer(knowledge: KnowledgeBase, question: string, options: AskOptions): Promise<Asked> {
  const { passages = 8, limit, minCoverage, model, answerTokens, standalone, rewrite, ...search } = options;
  const sourceOf = knowledge.reader();
  const { signal } = search;
  const asked = standalone ?? question;
  const write = model && (await writerOf(model, asked, answerTokens));
  const others = async () => [
    ...(standalone === undefined ? [] : [standalone]),
    ...((await rewrite?.(question, signal)) ?? []),
  ];
  const retrieved = await knowledge.retrieve(question, {
    ...search,
    limit: passages,
    rewrite: others,
    ...(write && { pack: { budget: write.budget, counter: write.counter, source: sourceOf } }),
  });
  const answer =
    write && retrieved.packed
      ? await writtenAnswer(asked, retrieved.packed, { write: write.write, sourceOf, ...(signal && { signal }) })
      : await quoteAnswer([...new Set([question, asked])], retrieved.passages, sourceOf, {
          ...(limit !== undefined && { limit }),
          ...(minCoverage !== undefined && { minCoverage }),
        });
  return { answer, retrieved };
}

/** A model with the tokens that passages may take beside question and answer. */
async function writerOf(model: ReadingModel, question: string, answerTokens = usualAnswerTokens(model)) {
  const { contextLength, counter } = model;
  const budget = contextLength - answerTokens - (await model.countPrompt(answerPrompt(question, "")));
  if (budget < 1)
    throw new CapacityError(
      `asking: the question and an answer of ${answerTokens} tokens leave no room for passages in a context of ${contextLength}; take a smaller answerTokens (--max-tokens), or a larger context`,
    );
  const write: Write = (prompt, signal = new AbortController().signal) =>
    model.generate(prompt, { maxTokens: answerTokens, signal });
  return { budget, counter, write };
}
