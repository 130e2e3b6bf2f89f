/** @file A model of this process to read documents with, and a file that keeps its answers. */

import { z } from "zod";
import { TesseraError } from "../base/errors.js";
import { Journal } from "../checkpoint/journal.js";
import type { ReadingModel, ResultStore } from "../long/index.js";
import type { Prompt, SamplingRequest } from "../server/openai/service.js";
import type { LocalTextService } from "./text-service.js";

export interface ReadingModelOptions {
  readonly sampling: SamplingRequest;
  readonly seed: number;
  readonly stop: readonly string[];
}

/** Prompts are chats of one user message where the model has a chat template, else plain text. Calls run together in the engine. */
export function readingModel(service: LocalTextService, options: ReadingModelOptions): ReadingModel {
  const promptOf = async (content: string): Promise<Prompt> => {
    if (!service.hasChat) return { kind: "plain", text: content };
    const messages = [{ role: "user", content }];
    const { text } = await service.renderChat({ model: service.id, messages, tools: [], variables: {} });
    return { kind: "chat", text };
  };
  const { logitBias, ...sampling } = options.sampling;
  return {
    id: JSON.stringify([service.fingerprint, sampling, [...(logitBias ?? [])], options.seed, options.stop]),
    contextLength: service.contextLength,
    counter: service.tokenizer,
    countPrompt: async (prompt) => service.countTokens(await promptOf(prompt)),
    async generate(prompt, { maxTokens, signal }) {
      const request = { ...options, model: service.id, prompt: await promptOf(prompt), maxTokens, signal };
      let text = "";
      let isFinished = false;
      const { pieces } = await service.generate(request);
      for await (const piece of pieces) {
        text += piece.text;
        isFinished ||= piece.finishReason !== undefined;
      }
      signal.throwIfAborted();
      if (!isFinished) throw new TesseraError("the answer was broken off");
      return text;
    },
  };
}

const resultSchema = z.strictObject({ key: z.string(), text: z.string() });

/** Answers in a journal: each is on the disk before it counts, so that a reading goes on after a kill. */
export class ResultFile implements ResultStore, AsyncDisposable {
  readonly #texts: Map<string, string>;
  readonly #journal: Journal<z.output<typeof resultSchema>>;
  /** Answers come together; records do not. */
  #last: Promise<void> = Promise.resolve();

  private constructor(journal: Journal<z.output<typeof resultSchema>>, texts: Map<string, string>) {
    this.#journal = journal;
    this.#texts = texts;
  }

  /** @throws CheckpointError when the file is damaged or another one. */
  static async open(path: string): Promise<ResultFile> {
    const { journal, records } = await Journal.open(path, resultSchema);
    return new ResultFile(journal, new Map(records.map(({ key, text }) => [key, text])));
  }

  get(key: string): string | undefined {
    return this.#texts.get(key);
  }

  async set(key: string, text: string): Promise<void> {
    const written = this.#last.then(() => this.#journal.append({ key, text }));
    // a failure is the caller's, and not of those that follow
    this.#last = written.catch(() => {});
    await written;
    this.#texts.set(key, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#journal.close();
  }
}
