/** @file What of a conversation the model reads: all of it, or the latest exchanges, with a summary of the rest if asked for. */

import { fitConversation, type Turn } from "../long/index.js";
import type { SamplingRequest } from "../server/openai/service.js";
import type { OpenTextService } from "./text-service.js";

export interface ChatHistoryOptions {
  readonly model: string;
  readonly sampling: SamplingRequest;
  readonly seed: number;
  readonly stop: readonly string[];
  /** Tokens that are left for the answer. Default: a quarter of the context, at most 512. */
  readonly maxTokens?: number;
  /** What is left out is summed up by the model, and read before the rest. Default false. */
  readonly summarize?: boolean;
  /** Hears of what is no longer read. */
  readonly onNote?: (note: string) => void;
}

/** Share of the budget that is left to the latest exchanges once it is used up, so that not every question drops some. */
const KEPT = 0.75;
/** Share of the budget that a summary may take. */
const SUMMARY = 0.125;

const task =
  "This is the earlier part of a conversation. Sum up what was said and agreed in a few sentences, with all names and numbers that matter.";

export class ChatHistory {
  readonly #service: OpenTextService;
  readonly #options: ChatHistoryOptions;
  /** Messages behind the system's that are no longer read. */
  #numDropped = 0;
  #summary = "";

  constructor(service: OpenTextService, options: ChatHistoryOptions) {
    this.#service = service;
    this.#options = options;
  }

  /** Another conversation begins. */
  reset(): void {
    this.#numDropped = 0;
    this.#summary = "";
  }

  /** The messages to read, the last of which is the question. What was left out once stays out. */
  async read<T extends Turn>(messages: readonly T[], signal: AbortSignal): Promise<readonly T[]> {
    const start = messages.findIndex(({ role }) => role === "user");
    const current = [...messages.slice(0, start), ...messages.slice(start + this.#numDropped)];
    const { maxTokens, summarize = false, onNote = () => {} } = this.#options;
    const contextLength = this.#contextLength();
    const budget = contextLength - (maxTokens ?? Math.min(512, Math.floor(contextLength / 4)));
    const count = (some: readonly T[]): Promise<number> => this.#count(this.#withSummary(some));
    if (start < 0 || (await count(current)) <= budget) return this.#withSummary(current);
    const left = Math.floor(budget * (summarize ? KEPT - SUMMARY : KEPT));
    const { kept, dropped } = await fitConversation(current, { budget: left, count });
    if (dropped.length === 0) return this.#withSummary(current);
    if (summarize) this.#summary = await this.#summed(dropped, Math.ceil(budget * SUMMARY), signal);
    this.#numDropped += dropped.length;
    const read = this.#withSummary(kept);
    onNote(
      `the ${this.#numDropped} oldest messages are no longer read${summarize ? " but for a summary" : ""}: ${await this.#count(read)} tokens are left of a budget of ${budget}`,
    );
    return read;
  }

  #contextLength(): number {
    const { model } = this.#options;
    return this.#service.models().find(({ id }) => id === model)!.contextLength;
  }

  async #count(messages: readonly Turn[]): Promise<number> {
    return this.#service.countTokens({ kind: "chat", text: await this.#render(messages) });
  }

  async #render(messages: readonly Turn[]): Promise<string> {
    const turns = messages.map(({ role, content }) => ({ role, content }));
    const { model } = this.#options;
    return (await this.#service.renderChat({ model, messages: turns, tools: [], variables: {} })).text;
  }

  /** In the first user's message, since not every template takes a system's. */
  #withSummary<T extends Turn>(messages: readonly T[]): readonly T[] {
    const first = messages.findIndex(({ role }) => role === "user");
    if (this.#summary === "" || first < 0) return messages;
    const content = `Earlier in this conversation: ${this.#summary}\n\n${messages[first]!.content}`;
    return messages.map((message, i) => (i === first ? { ...message, content } : message));
  }

  /** What was summed up before and some messages more, as many as fit, become the next summary. */
  async #summed(dropped: readonly Turn[], maxTokens: number, signal: AbortSignal): Promise<string> {
    let summary = this.#summary;
    for (let rest = dropped; rest.length > 0; ) {
      const asked = (count: number): Turn[] => [
        { role: "user", content: summaryPrompt(summary, rest.slice(0, count)) },
      ];
      let count = rest.length;
      while (count > 1 && (await this.#count(asked(count))) + maxTokens > this.#contextLength())
        count = Math.ceil(count / 2);
      summary = await this.#write(await this.#render(asked(count)), maxTokens, signal);
      rest = rest.slice(count);
    }
    return summary;
  }

  async #write(text: string, maxTokens: number, signal: AbortSignal): Promise<string> {
    const { model, sampling, seed, stop } = this.#options;
    const request = { model, sampling, seed, stop, prompt: { kind: "chat", text }, maxTokens, signal } as const;
    const { pieces } = await this.#service.generate(request);
    let written = "";
    for await (const piece of pieces) written += piece.text;
    signal.throwIfAborted();
    return written.trim();
  }
}

function summaryPrompt(summary: string, messages: readonly Turn[]): string {
  const earlier = summary === "" ? [] : [`Before: ${summary}`];
  return [...earlier, ...messages.map(({ role, content }) => `${role}: ${content}`), task].join("\n\n");
}
