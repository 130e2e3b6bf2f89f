/** @file The engine's side: answers the messages of a server over a text service. */

import { assert } from "../../base/errors.js";
import type { Generation, TextPiece } from "../../server/openai/service.js";
import { toPlainError } from "../plain-error.js";
import type { OpenTextService } from "../text-service.js";
import type { CallMessage, CallName, Calls, FromHost, TextProgress, ToHost } from "./protocol.js";

type Answers = {
  readonly [Name in CallName]: (
    argument: Calls[Name]["argument"],
    signal: AbortSignal,
    id: number,
  ) => Promise<Calls[Name]["result"]>;
};

/** A text from its preparation to its end. */
interface HostedText {
  readonly generation: Generation;
  /** Pieces that may still be sent. */
  numWanted: number;
  isRunning: boolean;
}

export class TextHost {
  readonly #send: (message: FromHost) => void;
  readonly #answers: Answers;
  readonly #speculation: OpenTextService["speculation"];
  readonly #texts = new Map<number, HostedText>();
  /** How to give up what is in flight, by id. */
  readonly #aborts = new Map<number, AbortController>();
  /** What came since the last message, by id. */
  #progress = new Map<number, TextProgress>();

  constructor(service: OpenTextService, send: (message: FromHost) => void) {
    this.#send = send;
    this.#speculation = service.speculation;
    this.#answers = {
      renderChat: (request) => service.renderChat(request),
      prepare: async (request, signal, id) => {
        const generation = await service.generate({ ...request, signal });
        this.#texts.set(id, { generation, numWanted: 0, isRunning: false });
        return { numPromptTokens: generation.numPromptTokens };
      },
      embed: (request, signal) => {
        assert(service.embed, "embeddings are asked for only where a model makes them");
        return service.embed({ ...request, signal });
      },
      loadAdapter: (request) => {
        assert(service.loadAdapter, "adapters come only where they may");
        return service.loadAdapter(request);
      },
      unloadAdapter: async (name) => {
        assert(service.unloadAdapter, "adapters go only where they may come");
        await service.unloadAdapter(name);
        return null;
      },
      countTokens: (prompt) => service.countTokens(prompt),
      statistics: () => service.statistics(),
    };
  }

  receive(message: Exclude<ToHost, { type: "open" | "close" }>): void {
    if (message.type === "call") void this.#answer(message);
    else if (message.type === "abort") this.#abort(message.id);
    else this.#read(message.id, message.count);
  }

  async #answer<Name extends CallName>({ id, name, argument }: CallMessage<Name>): Promise<void> {
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    try {
      this.#send({ type: "result", id, result: await this.#answers[name](argument, abort.signal, id) });
    } catch (thrown) {
      this.#send({ type: "error", id, error: toPlainError(thrown) });
    }
    if (!this.#texts.has(id)) this.#aborts.delete(id);
    // the client went while its request was read
    else if (abort.signal.aborted) this.#drop(id);
  }

  #abort(id: number): void {
    this.#aborts.get(id)?.abort();
    const text = this.#texts.get(id);
    if (!text) return;
    if (text.isRunning) void text.generation.pieces.return();
    this.#drop(id);
  }

  #drop(id: number): void {
    this.#texts.delete(id);
    this.#aborts.delete(id);
    this.#progress.delete(id);
  }

  #read(id: number, count: number): void {
    const text = this.#texts.get(id);
    // it has ended meanwhile
    if (!text) return;
    text.numWanted += count;
    if (!text.isRunning) void this.#run(id, text);
  }

  /** Sends pieces until enough were sent or the text has ended. */
  async #run(id: number, text: HostedText): Promise<void> {
    text.isRunning = true;
    try {
      while (text.numWanted > 0) {
        const { done, value } = await text.generation.pieces.next();
        if (!this.#texts.has(id)) return;
        if (done) {
          this.#end(id, {});
          return;
        }
        text.numWanted--;
        this.#progressOf(id).pieces.push(value satisfies TextPiece);
      }
      text.isRunning = false;
    } catch (thrown) {
      if (this.#texts.has(id)) this.#end(id, { error: toPlainError(thrown) });
    }
  }

  #end(id: number, end: Pick<TextProgress, "error">): void {
    Object.assign(this.#progressOf(id), { isDone: true, ...end });
    this.#texts.delete(id);
    this.#aborts.delete(id);
  }

  #progressOf(id: number): TextProgress {
    const known = this.#progress.get(id);
    if (known) return known;
    // tokens of one step come in one turn of the event loop: one message takes them all
    if (this.#progress.size === 0) setImmediate(() => this.#flush());
    const made: TextProgress = { id, pieces: [] };
    this.#progress.set(id, made);
    return made;
  }

  #flush(): void {
    const texts = [...this.#progress.values()];
    this.#progress = new Map();
    if (texts.length > 0)
      this.#send({ type: "progress", texts, ...(this.#speculation && { speculation: this.#speculation() }) });
  }
}
