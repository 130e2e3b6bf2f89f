/** @file A conversation with a folder: questions that may go on with those before them. */

import { CapacityError, DataError } from "../../base/errors.js";
import { fitConversation, type ReadingModel, type Turn, usualAnswerTokens } from "../../long/index.js";
import { followUp } from "../../retrieval/index.js";
import type { Asked, AskOptions } from "./answer.js";
import type { KnowledgeBase } from "./knowledge-base.js";

/** A question and what was answered. */
export interface Exchange extends Asked {
  readonly question: string;
  /** The question with what it takes from those before; absent where it takes nothing. */
  readonly standalone?: string;
}

/** Most tokens of a question that a model puts by itself. */
const QUESTION_TOKENS = 128;

/** What a model is told, to put a question by itself. */
export const standalonePrompt = (
  conversation: readonly Turn[],
  question: string,
): string => `A conversation about documents:

${conversation.map(({ role, content }) => `${role}: ${content}`).join("\n")}

user: ${question}

Write the last question so that it can be understood without the conversation, in its own language. If it can be already, write it as it is. Write the question alone.
Question:`;

/**
 * Keeps what was asked and answered. Without a model a question is searched as it is and with the words of the two before
 * it; with one, as it is and as the model puts it by itself, from as much of the conversation as its context holds.
 */
export class Dialogue {
  readonly #knowledge: KnowledgeBase;
  readonly #options: AskOptions;
  #exchanges: readonly Exchange[] = [];

  constructor(knowledge: KnowledgeBase, options: AskOptions = {}) {
    this.#knowledge = knowledge;
    this.#options = options;
  }

  /** Oldest first. */
  get exchanges(): readonly Exchange[] {
    return this.#exchanges;
  }

  /** Forgets what was said. */
  clear(): void {
    this.#exchanges = [];
  }

  /**
   * An answer, which is then a part of the conversation; a question that fails is none.
   * @throws DataError for an empty question; CapacityError where the exchange before does not fit the model's context; else
   * as `KnowledgeBase.ask`.
   */
  async ask(question: string, signal?: AbortSignal): Promise<Exchange> {
    if (question.trim() === "") throw new DataError("asking: the question is empty; write what to find out");
    const options = { ...this.#options, ...(signal && { signal }) };
    const standalone = await this.#standalone(question, options);
    const asked = await this.#knowledge.ask(question, { ...options, ...(standalone !== undefined && { standalone }) });
    const exchange = { question, ...(standalone !== undefined && { standalone }), ...asked };
    this.#exchanges = [...this.#exchanges, exchange];
    return exchange;
  }

  async #standalone(question: string, { model, signal }: AskOptions): Promise<string | undefined> {
    if (this.#exchanges.length === 0) return undefined;
    const before = this.#exchanges.map((exchange) => exchange.question);
    if (!model) return followUp(question, before);
    const conversation = this.#exchanges.flatMap((exchange): Turn[] => [
      { role: "user", content: exchange.question },
      { role: "assistant", content: exchange.answer.statements.map(({ text }) => text).join(" ") },
    ]);
    const asked = firstLine(await putByItself(model, conversation, question, signal));
    return asked === "" || asked === question ? undefined : asked;
  }
}

const firstLine = (text: string): string => text.trim().split("\n")[0]!.trim();

async function putByItself(
  model: ReadingModel,
  conversation: readonly Turn[],
  question: string,
  signal = new AbortController().signal,
): Promise<string> {
  const maxTokens = Math.min(QUESTION_TOKENS, usualAnswerTokens(model));
  const budget = model.contextLength - maxTokens;
  const count = (messages: readonly Turn[]) => model.countPrompt(standalonePrompt(messages, question));
  const { kept, numTokens } = await fitConversation(conversation, { budget, count });
  if (numTokens > budget)
    throw new CapacityError(
      `asking: the question and the exchange before it take ${numTokens} tokens, and the context has room for ${budget}; ask it by itself in a new conversation, or take a larger context`,
    );
  return model.generate(standalonePrompt(kept, question), { maxTokens, signal });
}
