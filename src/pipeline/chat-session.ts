/** @file A conversation with a model: its messages, the answer as it comes, saved and loaded. */

import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { DataError, messageOf } from "../base/errors.js";
import type { SamplingRequest, TextService } from "../server/openai/service.js";

const messagesSchema = z.array(z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() }));
export type ChatSessionMessage = z.output<typeof messagesSchema>[number];

export interface ChatSessionOptions {
  readonly model: string;
  readonly sampling: SamplingRequest;
  readonly seed: number;
  readonly stop: readonly string[];
  /** Most tokens of an answer. Default: until the context is full. */
  readonly maxTokens?: number;
}

export class ChatSession {
  readonly #service: TextService;
  readonly #options: ChatSessionOptions;
  #messages: ChatSessionMessage[] = [];

  constructor(service: TextService, options: ChatSessionOptions) {
    this.#service = service;
    this.#options = options;
  }

  get messages(): readonly ChatSessionMessage[] {
    return this.#messages;
  }

  /** Sets the message that stands before all others; an empty text takes it away. */
  setSystem(content: string): void {
    const others = this.#messages.filter(({ role }) => role !== "system");
    this.#messages = content === "" ? others : [{ role: "system", content }, ...others];
  }

  /** Forgets all messages but the system's. */
  clear(): void {
    this.#messages = this.#messages.filter(({ role }) => role === "system");
  }

  /**
   * The answer to `content`, piece by piece. What was written when the signal is aborted stays in the history; a question that
   * gets no answer does not.
   * @throws ApiError when the conversation is longer than the context.
   */
  async *send(content: string, signal: AbortSignal): AsyncGenerator<string, void> {
    const asked: ChatSessionMessage[] = [...this.#messages, { role: "user", content }];
    const { model, ...options } = this.#options;
    const { text } = await this.#service.renderChat({ model, messages: asked, tools: [], variables: {} });
    const prompt = { kind: "chat", text } as const;
    // the same question again gets another answer
    const seed = options.seed + asked.length;
    const { pieces } = await this.#service.generate({ ...options, model, prompt, seed, signal });
    let answer = "";
    for await (const piece of pieces) {
      answer += piece.text;
      if (piece.text !== "") yield piece.text;
    }
    if (answer !== "" || !signal.aborted) this.#messages = [...asked, { role: "assistant", content: answer }];
  }

  /** Writes the messages as JSON. @throws DataError when the file cannot be written. */
  async save(path: string): Promise<void> {
    try {
      await writeFile(path, `${JSON.stringify(this.#messages, null, 2)}\n`);
    } catch (thrown) {
      throw new DataError(`chat: ${path} cannot be written: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  /** Goes on with the messages of a file. @throws DataError when it holds none; the present ones stay. */
  async load(path: string): Promise<void> {
    let value: unknown;
    try {
      value = JSON.parse(await readFile(path, "utf8"));
    } catch (thrown) {
      throw new DataError(`chat: ${path} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
    }
    const parsed = messagesSchema.safeParse(value);
    if (!parsed.success) throw new DataError(`chat: ${path} holds no chat: ${z.prettifyError(parsed.error)}`);
    this.#messages = parsed.data;
  }
}
