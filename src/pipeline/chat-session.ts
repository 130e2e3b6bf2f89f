/** @file A conversation with a model: its messages, the answer as it comes, saved and loaded. */

import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { DataError, messageOf } from "../base/errors.js";
import { ChatHistory, type ChatHistoryOptions } from "./chat-history.js";
import type { OpenTextService } from "./text-service.js";

const messagesSchema = z.array(z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() }));
export type ChatSessionMessage = z.output<typeof messagesSchema>[number];

export type ChatSessionOptions = ChatHistoryOptions;

export class ChatSession {
  readonly #service: OpenTextService;
  readonly #options: ChatSessionOptions;
  readonly #history: ChatHistory;
  #messages: ChatSessionMessage[] = [];

  constructor(service: OpenTextService, options: ChatSessionOptions) {
    this.#service = service;
    this.#options = options;
    this.#history = new ChatHistory(service, options);
  }

  /** The whole conversation, also what the model no longer reads. */
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
    this.#history.reset();
  }

  /**
   * The answer to `content`, piece by piece. What was written when the signal is aborted stays in the history; a question that
   * gets no answer does not. Of a conversation that leaves no room for an answer the oldest exchanges are no longer read.
   * @throws ApiError when system message and question alone are longer than the context.
   */
  async *send(content: string, signal: AbortSignal): AsyncGenerator<string, void> {
    const asked: ChatSessionMessage[] = [...this.#messages, { role: "user", content }];
    const { model, onNote: _note, summarize: _summarize, ...options } = this.#options;
    const messages = await this.#history.read(asked, signal);
    const { text } = await this.#service.renderChat({ model, messages: [...messages], tools: [], variables: {} });
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
    this.#history.reset();
  }
}
