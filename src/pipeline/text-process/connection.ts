/** @file The server's side of one engine process: calls, texts in flight, and what happens to them when it dies. */

import type { TextPiece, TextRequest } from "../../server/openai/service.js";
import { fromPlainError } from "../plain-error.js";
import type { CallMessage, CallName, Calls, FromHost, SpeculationSums, TextProgress, ToHost } from "./protocol.js";
import { RemoteText } from "./remote-text.js";

interface PendingCall {
  resolve(result: Calls[CallName]["result"]): void;
  reject(error: unknown): void;
}

export class Connection {
  readonly #send: (message: ToHost) => void;
  readonly #calls = new Map<number, PendingCall>();
  readonly #texts = new Map<number, RemoteText>();
  #nextId = 0;
  #numFinished = 0;
  #speculation: SpeculationSums = { proposed: 0, accepted: 0 };

  constructor(send: (message: ToHost) => void) {
    this.#send = send;
  }

  /** Texts that were written to their end. */
  get numFinished(): number {
    return this.#numFinished;
  }

  /** Tokens that were proposed and accepted by the last step that was heard of. */
  get speculation(): SpeculationSums {
    return this.#speculation;
  }

  /** @throws what the other side throws; the signal's reason when it is aborted first. */
  call<Name extends CallName>(
    name: Name,
    argument: Calls[Name]["argument"],
    signal?: AbortSignal,
  ): Promise<Calls[Name]["result"]> {
    return this.#call(this.#nextId++, name, argument, signal);
  }

  /** Prepares a text; it is written once its pieces are read. */
  async generate({ signal, ...request }: TextRequest): Promise<{ numPromptTokens: number; pieces: RemoteText }> {
    const id = this.#nextId++;
    const { numPromptTokens } = await this.#call(id, "prepare", request, signal);
    const pieces = new RemoteText(signal, {
      read: (count) => this.#send({ type: "read", id, count }),
      leave: () => {
        if (this.#texts.delete(id)) this.#send({ type: "abort", id });
      },
    });
    this.#texts.set(id, pieces);
    if (signal.aborted) await pieces.return();
    return { numPromptTokens, pieces };
  }

  receive(message: Extract<FromHost, { type: "result" | "error" | "progress" }>): void {
    if (message.type === "progress") {
      this.#speculation = message.speculation ?? this.#speculation;
      for (const progress of message.texts) this.#advance(progress);
      return;
    }
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.type === "result") call?.resolve(message.result);
    else call?.reject(fromPlainError(message.error));
  }

  /** Ends all that is in flight with an error. */
  fail(error: Error): void {
    for (const call of this.#calls.values()) call.reject(error);
    for (const text of this.#texts.values()) text.end(error);
    this.#calls.clear();
    this.#texts.clear();
  }

  #advance({ id, pieces, isDone, error }: TextProgress): void {
    const text = this.#texts.get(id);
    if (!text) return;
    for (const piece of pieces satisfies readonly TextPiece[]) text.push(piece);
    if (!isDone) return;
    this.#texts.delete(id);
    if (!error) this.#numFinished++;
    text.end(error && fromPlainError(error));
  }

  #call<Name extends CallName>(
    id: number,
    name: Name,
    argument: Calls[Name]["argument"],
    signal: AbortSignal | undefined,
  ): Promise<Calls[Name]["result"]> {
    return new Promise<Calls[Name]["result"]>((resolve, reject) => {
      const giveUp = (): void => {
        this.#calls.delete(id);
        this.#send({ type: "abort", id });
        reject(signal?.reason);
      };
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener("abort", giveUp);
          settle(value);
        };
      this.#calls.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#send({ type: "call", id, name, argument } as ToHost & CallMessage<Name>);
      if (signal?.aborted) giveUp();
      else signal?.addEventListener("abort", giveUp, { once: true });
    });
  }
}
