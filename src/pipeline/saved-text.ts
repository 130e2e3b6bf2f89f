/** @file A text that is saved as it is written: the text in one file, and beside it what is needed to go on after a kill. */

import { appendFile, stat } from "node:fs/promises";
import { z } from "zod";
import { CheckpointError, ConfigError, messageOf } from "../base/errors.js";
import { replaceFiles } from "../checkpoint/atomic.js";
import { ifThere } from "../checkpoint/byte-file.js";
import { Journal } from "../checkpoint/journal.js";
import type { BlockHook, BlockRecord } from "../long/index.js";
import { samplingRequest } from "../server/openai/sampling-request.js";
import type { LocalTextService } from "./text-service.js";

const requestSchema = z.strictObject({
  version: z.literal(1),
  /** Path or name, as it was given. */
  model: z.string(),
  /** Of the model, so that no other one goes on with the text. */
  fingerprint: z.string(),
  weights: z.enum(["float32", "int8", "int4"]),
  context: z.number().optional(),
  prompt: z.string(),
  sampling: z.strictObject({
    temperature: z.number(),
    topP: z.number(),
    topK: z.number().optional(),
    minP: z.number().optional(),
    repetitionPenalty: z.number().optional(),
    presencePenalty: z.number().optional(),
    frequencyPenalty: z.number().optional(),
  }),
  seed: z.number(),
  stop: z.array(z.string()),
  maxTokens: z.number().optional(),
  blockTokens: z.number(),
  beyondContext: z.enum(["stop", "roll"]),
});

/** All that decides a text. */
export type SavedRequest = z.output<typeof requestSchema>;

const wordSchema = z.number().int().min(0).max(0xffffffff);
const blockSchema = z.strictObject({
  ids: z.array(z.number()),
  text: z.string(),
  end: z.enum(["full", "stop", "context"]),
  rng: z.tuple([wordSchema, wordSchema, wordSchema, wordSchema]),
  edit: z.string().optional(),
  guidance: z.string().optional(),
  isLast: z.boolean(),
});

const recordSchema = z.union([z.strictObject({ request: requestSchema }), z.strictObject({ block: blockSchema })]);
type SavedRecord = z.output<typeof recordSchema>;

/** The file beside a text. */
export const journalPath = (path: string): string => `${path}.blocks`;

export class SavedText implements AsyncDisposable {
  private constructor(
    readonly path: string,
    readonly request: SavedRequest,
    private readonly journal: Journal<SavedRecord>,
    private readonly records: BlockRecord[],
  ) {}

  /** @throws ConfigError when there is a file of that name: a text is never written over. */
  static async create(path: string, request: SavedRequest): Promise<SavedText> {
    for (const file of [path, journalPath(path)]) {
      if ((await ifThere(stat(file), file)) !== undefined)
        throw new ConfigError(`${file} is there already; go on with it (--resume ${path}) or take another name`);
    }
    const { journal } = await Journal.open(journalPath(path), recordSchema);
    await journal.append({ request });
    await replaceFiles([[path, []]]);
    return new SavedText(path, request, journal, []);
  }

  /**
   * Opens a text to go on with. Its file is made what the saved blocks say.
   * @throws ConfigError when there is none; CheckpointError when it is damaged.
   */
  static async resume(path: string): Promise<SavedText> {
    const file = journalPath(path);
    if ((await ifThere(stat(file), file)) === undefined)
      throw new ConfigError(`there is no ${file}; only a text that was written with --out can be resumed`);
    const { journal, records } = await Journal.open(file, recordSchema);
    try {
      const [first, ...rest] = records;
      if (!(first && "request" in first)) throw new CheckpointError(`${file} does not begin with a request`);
      const blocks = rest.map((record) => {
        if ("block" in record) return record.block;
        throw new CheckpointError(`${file} holds a second request; begin a new text`);
      });
      const text = new TextEncoder().encode(blocks.map((block) => block.text).join(""));
      await replaceFiles([[path, [text]]]);
      return new SavedText(path, first.request, journal, blocks);
    } catch (thrown) {
      await journal.close();
      throw thrown;
    }
  }

  get blocks(): readonly BlockRecord[] {
    return this.records;
  }

  /** No block follows. */
  get isFinished(): boolean {
    return this.records.at(-1)?.isLast === true;
  }

  /**
   * Writes on until the text ends or the signal is aborted; gives each block once it is saved. A block that was under way
   * when the process ended is written again, the same, and judged again.
   * @throws ConfigError when the model is not the one that began the text.
   */
  async *write(
    service: LocalTextService,
    { signal, onBlock }: { readonly signal: AbortSignal; readonly onBlock?: BlockHook },
  ): AsyncGenerator<BlockRecord, void> {
    const { model, fingerprint, prompt: text, sampling, maxTokens, ...request } = this.request;
    if (service.fingerprint !== fingerprint) {
      throw new ConfigError(
        `${this.path} was begun with ${model} (${fingerprint}), but the model is ${service.id} (${service.fingerprint}); give the same files and weights`,
      );
    }
    const options = {
      ...request,
      prompt: { kind: "plain" as const, text },
      sampling: samplingRequest(sampling),
      signal,
      ...(maxTokens !== undefined && { maxTokens }),
      ...(onBlock && { onBlock }),
    };
    for await (const block of service.writeBlocks(options, this.blocks)) {
      await this.#append(block);
      yield block;
    }
  }

  /** Saves a block: first what is needed to go on, which outlasts a kill, then the text. */
  async #append({ ids, rng, ...block }: BlockRecord): Promise<void> {
    const record = { ...block, ids: [...ids], rng: [...rng] as [number, number, number, number] };
    await this.journal.append({ block: record });
    this.records.push(record);
    try {
      await appendFile(this.path, block.text);
    } catch (thrown) {
      throw new CheckpointError(`${this.path} cannot be written: ${messageOf(thrown)}; resume it to write it anew`, {
        cause: thrown,
      });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.journal.close();
  }
}
