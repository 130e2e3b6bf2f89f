/** @file Embedder over a BERT-family encoder, run through Tessera's own graph. */

import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import { CapacityError, ConfigError } from "../base/errors.js";
import type { Prompts } from "../models/index.js";
import { encode } from "../plan/index.js";
import { embedTexts, type LoadedEncoder, loadEncoder } from "../presets/index.js";
import { Runtime } from "../runtime/index.js";
import type { Embedder, EmbedderDef, TokenVectors } from "./embedder.js";
import { toUnitLength } from "./static/static-model.js";

export interface EncoderOptions {
  /** Written before each text. Default: the prompts of config_sentence_transformers.json, else nothing. */
  readonly prompts?: Partial<Prompts>;
  /** Longest text in tokens, special ones included. Default: what the model says, at most what its network takes. */
  readonly maxTokens?: number;
  /** Hears of each longer text, of which only the beginning is then embedded. Without it such a text is an error. */
  readonly onCut?: (cut: { readonly text: string; readonly numTokens: number; readonly maxTokens: number }) => void;
  /** Positions in one run, padding included. Default 4096. */
  readonly batchTokens?: number;
  /** Default: one of its own, closed with the embedder. */
  readonly runtime?: Runtime;
  /** Threads of an own runtime. Default: as many as the machine has. */
  readonly numThreads?: number;
}

const BATCH_TOKENS = 4096;
/** Texts of like length run together, within the budget of positions. */
const BATCH_TEXTS = 64;
/** Share of a window of a long text that repeats the one before it, so that its tokens see what came before them. */
const OVERLAP = 1 / 4;

/**
 * A folder of an encoder (config.json, safetensors, tokenizer files; modules.json where there is one) or its GGUF file.
 * Vectors are scaled to unit length whatever the model does.
 * @throws CheckpointError when the folder holds no model; ConfigError for a family that is no encoder, or a length out of range.
 */
export const encoderFolder: EmbedderDef<EncoderOptions> = {
  name: "encoder",
  async open(path, options = {}) {
    const loaded = await loadEncoder(path);
    const { maxPositions } = loaded.encoder;
    const maxTokens = options.maxTokens ?? loaded.maxTokens;
    const around = loaded.tokenizer.template.prefix.length + loaded.tokenizer.template.suffix.length;
    if (!Number.isInteger(maxTokens) || maxTokens <= around || maxTokens > maxPositions) {
      throw new ConfigError(
        `embedding with ${path}: maxTokens must be a whole number from ${around + 1} to ${maxPositions}, got ${maxTokens}`,
      );
    }
    const prompts = { ...loaded.prompts, ...options.prompts };
    const runtime = options.runtime ?? (await Runtime.open(threads(options.numThreads)));
    const settings = { ...options, prompts, maxTokens, runtime, isOwnRuntime: !options.runtime };
    return new EncoderEmbedder(basename(resolve(path)), loaded, settings);
  },
};

const threads = (numThreads: number | undefined) => (numThreads === undefined ? {} : { numThreads });

interface Settings extends EncoderOptions {
  readonly prompts: Prompts;
  readonly maxTokens: number;
  readonly runtime: Runtime;
  readonly isOwnRuntime: boolean;
}

class EncoderEmbedder implements Embedder {
  readonly model: string;
  readonly dimension: number;

  constructor(
    private readonly name: string,
    private readonly loaded: LoadedEncoder,
    private readonly settings: Settings,
  ) {
    this.model = `${name}@${contentHash(loaded, settings)}`;
    this.dimension = loaded.encoder.hiddenSize * loaded.pooling.modes.length;
  }

  async embed(texts: readonly string[], kind: "query" | "passage", signal?: AbortSignal): Promise<Float32Array[]> {
    const { prompts, runtime, maxTokens, onCut, batchTokens = BATCH_TOKENS } = this.settings;
    const prompted = texts.map((text) => prompts[kind] + text);
    if (!onCut) for (const [i, text] of prompted.entries()) this.#checkLength(i, text);
    const vectors = await embedTexts(runtime, this.loaded, prompted, {
      batchSize: BATCH_TEXTS,
      batchTokens,
      maxTokens,
      ...(onCut && { onCut: (i, numTokens) => onCut({ text: texts[i]!, numTokens, maxTokens }) }),
      ...(signal && { signal }),
    });
    return vectors.map(toUnitLength);
  }

  #checkLength(index: number, text: string): void {
    const { tokenizer } = this.loaded;
    const { prefix, suffix } = tokenizer.template;
    const count = tokenizer.count(text) + prefix.length + suffix.length;
    if (count <= this.settings.maxTokens) return;
    throw new CapacityError(
      `embedding with ${this.name}: text ${index} has ${count} tokens, and the model takes ${this.settings.maxTokens}; cut smaller chunks, or give onCut to embed its beginning`,
    );
  }

  /**
   * Hidden states of the last layer. A text longer than the model is read in windows, each beginning with the last quarter
   * of the one before it, whose tokens keep their first vectors (Günther et al. 2024, arXiv:2409.04701, algorithm 2).
   */
  async embedTokens(text: string): Promise<TokenVectors> {
    const { encoder, tokenizer, parameters } = this.loaded;
    const { prefix, suffix } = tokenizer.template;
    const lead = [...prefix, ...tokenizer.encode(this.settings.prompts.passage)];
    const { ids, offsets } = tokenizer.encodeWithOffsets(text);
    const width = encoder.hiddenSize;
    const vectors = new Float32Array(ids.length * width);
    const room = this.settings.maxTokens - lead.length - suffix.length;
    const overlap = Math.min(room - 1, Math.floor(room * OVERLAP));
    for (let start = 0, done = 0; done < ids.length; start = done - overlap) {
      const end = Math.min(ids.length, start + room);
      const batch = { ids: [...lead, ...ids.subarray(start, end), ...suffix], batchSize: 1 };
      const { hidden } = await encode(this.settings.runtime, encoder, parameters, batch);
      const states = hidden.data as Float32Array;
      const from = (lead.length + done - start) * width;
      vectors.set(states.subarray(from, from + (end - done) * width), done * width);
      done = end;
    }
    return {
      starts: ids.map((_, i) => offsets[2 * i]!),
      ends: ids.map((_, i) => offsets[2 * i + 1]!),
      vectors,
    };
  }

  async close(): Promise<void> {
    if (this.settings.isOwnRuntime) await this.settings.runtime.close();
  }
}

/** Of all that decides a vector: weights, config, tokenizer, pooling, prompts, length. */
function contentHash({ tensors, encoder, files, pooling }: LoadedEncoder, { prompts, maxTokens }: Settings): string {
  const hash = createHash("sha256").update(JSON.stringify([encoder.config, pooling, prompts, maxTokens]));
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(name).update(bytes);
  for (const [name, { data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex").slice(0, 12);
}
