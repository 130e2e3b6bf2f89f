/** @file The models that can write: known by id, opened when they are asked, the least recently used closed for another. */

import { resolveModel } from "../../checkpoint/index.js";
import type { WeightFormat } from "../../engine/index.js";
import { openModel } from "../../presets/index.js";
import { Refusal } from "../../server/refusal.js";
import type { LiveState } from "../../server/studio/live-state.js";
import type { Writer } from "../../server/studio/wire/index.js";
import type { Tokenizer } from "../../tokenizers/index.js";
import { openTextProcess } from "../text-process/open.js";
import type { OpenTextService } from "../text-service.js";

/** Where a writer comes from. */
export interface WriterSource extends Pick<Writer, "id" | "label" | "kind"> {
  /** Model folder, GGUF or llama2.c file, or a name on the hub. */
  readonly model: string;
  /** Folder of an adapter of that model, as PEFT writes it. */
  readonly adapter?: string;
}

export interface OpenedSource {
  readonly service: OpenTextService;
  readonly tokenizer: Tokenizer;
  /** Most tokens of prompt and text together. */
  readonly contextLength: number;
}

/** A writer that stays open until it is disposed of. */
export interface OpenWriter extends OpenedSource, Disposable {
  /** The model's name in requests to the service. */
  readonly id: string;
  readonly label: string;
}

/** Two are compared; more would hold memory for models that nobody asks. */
const MOST_OPEN = 2;

/** A page of text and its answer; memory for keys and values grows with it. */
const MOST_CONTEXT = 4096;

interface Entry {
  readonly source: WriterSource;
  readonly opened: Promise<OpenedSource>;
  numUsers: number;
}

/** Close it when no text is being written. */
export class Writers implements AsyncDisposable {
  readonly #live: LiveState;
  readonly #openSource: (source: WriterSource) => Promise<OpenedSource>;
  readonly #sources = new Map<string, WriterSource>();
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #onRelease: (() => void)[] = [];

  /** @param openSource opens a model under the source's id, for as many texts at once as writers are open. */
  constructor(live: LiveState, openSource: (source: WriterSource) => Promise<OpenedSource>) {
    this.#live = live;
    this.#openSource = openSource;
  }

  /** Every writer that is known, in the order in which they came. */
  get sources(): readonly WriterSource[] {
    return [...this.#sources.values()];
  }

  /** Makes a writer known; one with the same id is replaced, and closed when its texts are written. */
  add(source: WriterSource): void {
    const { id, label, kind } = source;
    this.#sources.set(id, source);
    this.#forget(id);
    const others = this.#live.current.writers;
    const at = others.findIndex((other) => other.id === id);
    const writer = { id, label, kind };
    this.#live.change({ writers: at < 0 ? [...others, writer] : others.with(at, writer) });
  }

  /** Forgets a writer whose model is gone; what it is writing is written. */
  remove(id: string): void {
    if (!this.#sources.delete(id)) return;
    this.#forget(id);
    this.#live.change({ writers: this.#live.current.writers.filter((writer) => writer.id !== id) });
  }

  /**
   * A writer, opened where it is not. Where two others are open, the one of them that nobody uses is closed; where both
   * write, this waits.
   * @throws Refusal 404 for an id that is not known; what opening the model throws.
   */
  async open(id: string, signal: AbortSignal): Promise<OpenWriter> {
    for (;;) {
      signal.throwIfAborted();
      const source = this.#source(id);
      const entry = this.#entries.get(id);
      if (entry) return this.#use(entry);
      if (this.#entries.size < MOST_OPEN) {
        this.#start(source);
        continue;
      }
      const idle = [...this.#entries.values()].find(({ numUsers }) => numUsers === 0);
      if (idle) this.#forget(idle.source.id);
      else await this.#released(signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(close));
  }

  #source(id: string): WriterSource {
    const source = this.#sources.get(id);
    if (source) return source;
    const known = this.sources.map(({ id: other }) => other).join(", ");
    throw new Refusal(404, `there is no model ${JSON.stringify(id)} here; there is ${known || "none yet"}`, "writer");
  }

  async #use(entry: Entry): Promise<OpenWriter> {
    const { source } = entry;
    entry.numUsers++;
    this.#entries.delete(source.id);
    this.#entries.set(source.id, entry);
    let isReleased = false;
    const release = (): void => {
      if (!isReleased) this.#release(entry);
      isReleased = true;
    };
    try {
      const { service, tokenizer, contextLength } = await entry.opened;
      const { id, label } = source;
      // one that died too often is opened anew by the next who asks
      const isLost = service.engineState?.().status === "failed";
      if (isLost && this.#entries.get(id) === entry) this.#forget(id);
      return { id, label, service, tokenizer, contextLength, [Symbol.dispose]: release };
    } catch (thrown) {
      if (this.#entries.get(source.id) === entry) this.#entries.delete(source.id);
      release();
      throw thrown;
    }
  }

  #release(entry: Entry): void {
    entry.numUsers--;
    if (entry.numUsers > 0) return;
    if (this.#entries.get(entry.source.id) !== entry) void close(entry);
    for (const wake of this.#onRelease.splice(0)) wake();
  }

  #released(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#onRelease.push(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Closes it, at once or when its last text is written. */
  #forget(id: string): void {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    if (entry?.numUsers === 0) void close(entry);
  }

  #start(source: WriterSource): void {
    const { id, label } = source;
    const work = `writer ${id}`;
    this.#live.showWork({ id: work, label: `Opening ${label}` });
    const opened = this.#openSource(source);
    this.#entries.set(id, { source, opened, numUsers: 0 });
    opened
      .then(({ contextLength, service: { hasChat } }) => {
        const writers = this.#live.current.writers;
        this.#live.change({
          writers: writers.map((one) => (one.id === id ? { ...one, contextLength, hasChat } : one)),
        });
      })
      // whoever asked for it hears of it
      .catch(() => undefined)
      .finally(() => this.#live.endWork(work));
  }
}

/**
 * Opens a model in a process of its own.
 * @param weights what it is packed to.
 */
export async function openWriterProcess(
  { id, model, adapter }: WriterSource,
  weights: WeightFormat,
): Promise<OpenedSource> {
  const path = await resolveModel(model);
  await using header = await openModel(path);
  const contextLength = Math.min(header.model.maxPositions, MOST_CONTEXT);
  const options = { path, weights, contextLength, maxSequences: MOST_OPEN };
  const service = await openTextProcess(
    adapter === undefined
      ? { ...options, id }
      : { ...options, id: `base of ${id}`, adapters: [{ id, folder: adapter }] },
  );
  return { service, tokenizer: header.tokenizer, contextLength };
}

async function close({ opened }: Entry): Promise<void> {
  // one that could not be opened has nothing to close
  await (await opened.catch(() => undefined))?.service[Symbol.asyncDispose]();
}
