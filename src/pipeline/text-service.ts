/** @file A loaded model as the service of the OpenAI-compatible server. */

import { UnsupportedError } from "../base/errors.js";
import { StaticModel } from "../embed/index.js";
import {
  type CachePolicy,
  checkSampling,
  Engine,
  type EngineOptions,
  type EngineStatistics,
  type PromptIds,
  type RequestOptions,
  type SampledToken,
  StopStrings,
  type WeightFormat,
  Weights,
} from "../engine/index.js";
import { type BlockHook, type BlockOptions, type BlockRecord, writeBlocks } from "../long/index.js";
import {
  embedTexts,
  generationConfigOf,
  type LoadedEncoder,
  type LoadedModel,
  type OpenedModel,
  type TextModel,
} from "../presets/index.js";
import type { Runtime } from "../runtime/index.js";
import { ApiError } from "../server/openai/errors.js";
import type {
  ChatRequest,
  Generation,
  Prompt,
  RenderedChat,
  ServedModel,
  TextPiece,
  TextRequest,
  TextService,
  TokenChance,
} from "../server/openai/service.js";
import { toolCallFormatOf } from "../server/openai/tool-calls/index.js";
import { type ChatTemplate, renderChat, type StreamDecoder, type Tokenizer } from "../tokenizers/index.js";
import { type AdapterModelOptions, AdapterModels, engineAdapters, readAdapters } from "./adapter-models.js";
import { beginIdOf, chatTemplatesOf, endIdsOf } from "./chat-format.js";
import { ModelFingerprint } from "./model-fingerprint.js";
import { type SpeculationChoice, speculationOf } from "./speculation.js";
import { TextConstraints } from "./text-constraints.js";

export interface TextServiceOptions extends Pick<EngineOptions, "contextLength" | "cacheBytes">, AdapterModelOptions {
  /** The name that requests give. */
  readonly id: string;
  /** Default float32. */
  readonly weights?: WeightFormat;
  /** How keys and values are kept; `sinks-window` takes texts of any length. Default contiguous. */
  readonly cache?: CachePolicy;
  /** Requests that run at once. Default 8. */
  readonly maxSequences?: number;
  /** Guesses tokens that are then verified together. Default: none. */
  readonly speculation?: SpeculationChoice;
  /** A model for embeddings beside the one that writes. */
  readonly embeddings?: { readonly id: string; readonly loaded: LoadedEncoder | StaticModel };
  /** When the model was made, in Unix seconds. Default: now. */
  readonly created?: number;
}

/** A text in blocks; see `writeBlocks`. */
export interface BlockRequest
  extends Pick<TextRequest, "prompt" | "sampling" | "seed" | "stop" | "maxTokens" | "constraint" | "signal">,
    Pick<BlockOptions, "blockTokens" | "beyondContext"> {
  readonly onBlock?: BlockHook;
}

/** Close it when no request is left. */
export interface OpenTextService extends TextService, AsyncDisposable {
  /** Name of the model that writes. */
  readonly id: string;
  /** Bytes of its weights in memory. */
  readonly weightBytes: number;
  /** Whether the model has a chat template. */
  readonly hasChat: boolean;
  /** What the engine is doing and has done. */
  statistics(): Promise<EngineStatistics>;
  /** Tokens that a prompt has for the model. @throws ApiError for one that is empty where the model needs a token. */
  countTokens(prompt: Prompt): Promise<number>;
}

/** A service whose engine is in this process. */
export interface LocalTextService extends OpenTextService {
  /** Most tokens of prompt and text together; infinite with a cache that makes room. */
  readonly contextLength: number;
  /** Tells the model and the format of its weights from others. */
  readonly fingerprint: string;
  readonly tokenizer: Tokenizer;
  /**
   * Text after a prompt that comes in pieces, computed as it comes. `numPromptTokens` grows with it.
   * @throws CapacityError from the pieces when it fills the context.
   */
  generateAfter(prompt: AsyncIterable<string>, request: Omit<TextRequest, "prompt">): Generation;
  /** A text block by block, after those that are done; see `writeBlocks`. */
  writeBlocks(request: BlockRequest, done?: readonly BlockRecord[]): AsyncGenerator<BlockRecord, void>;
}

/**
 * Opens a model for generation. Parameters of a model that is only opened are read one at a time, and nothing is read later.
 * @throws ConfigError when the draft does not fit the model; CapacityError when the context is longer than the model's or
 * fits no memory; CheckpointError for an adapter of another model.
 */
export async function openTextService(
  runtime: Runtime,
  loaded: TextModel & Pick<LoadedModel | OpenedModel, "parameters">,
  options: TextServiceOptions,
): Promise<LocalTextService> {
  const { id, weights: format = "float32", maxSequences = 8, embeddings, created = nowInSeconds() } = options;
  const fingerprint = new ModelFingerprint(loaded, format);
  const weights = await Weights.pack(loaded.model, fingerprint.passing(loaded.parameters), format);
  const read = await readAdapters(loaded.model, options);
  const engine = await Engine.create(runtime, loaded.model, weights, {
    maxSequences,
    ...engineAdapters(read, options),
    ...(options.contextLength !== undefined && { contextLength: options.contextLength }),
    ...(options.cacheBytes !== undefined && { cacheBytes: options.cacheBytes }),
    ...(options.speculation && { speculation: speculationOf(options.speculation, loaded, format) }),
    ...(options.cache !== undefined && { cache: options.cache }),
  });
  const { contextLength } = engine;
  const { sampling: defaults, unfollowed } = generationConfigOf(loaded.tokenizerFiles);
  const base: ServedModel = { id, created, ownedBy: "tessera", contextLength, defaults, unfollowed };
  const others = embeddings ? [encoderModel(embeddings, created)] : [];
  const adapters = new AdapterModels(loaded.model, engine, read, {
    base,
    taken: [base, ...others].map((model) => model.id),
    ...(options.adapterFolder !== undefined && { adapterFolder: options.adapterFolder }),
  });
  const writer = new ModelWriter(id, loaded, engine, adapters);
  return {
    id,
    weightBytes: weights.bytes,
    contextLength,
    fingerprint: fingerprint.digest(),
    tokenizer: loaded.tokenizer,
    hasChat: writer.hasChat,
    concurrency: maxSequences,
    models: () => [base, ...adapters.models, ...others],
    renderChat: async (request) => writer.renderChat(request),
    generate: async (request) => writer.generate(request),
    ...(options.speculation && { speculation: () => engine.statistics.speculation }),
    generateAfter: (prompt, request) => writer.generateAfter(prompt, request),
    writeBlocks: (request, done) => writer.writeBlocks(request, done),
    countTokens: async (prompt) => writer.countTokens(prompt),
    ...(embeddings && {
      embed: async ({ model, texts }) => {
        if (model !== embeddings.id) throw wrongModel(model, `texts; embeddings come from ${embeddings.id}`);
        return embed(runtime, embeddings.loaded, texts);
      },
    }),
    ...(options.adapterFolder !== undefined && {
      loadAdapter: (request) => adapters.load(request),
      unloadAdapter: async (name) => adapters.unload(name),
    }),
    statistics: async () => engine.statistics,
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

function encoderModel({ id, loaded }: NonNullable<TextServiceOptions["embeddings"]>, created: number): ServedModel {
  // a static model takes texts of any length
  const contextLength = loaded instanceof StaticModel ? Number.MAX_SAFE_INTEGER : loaded.encoder.maxPositions;
  return { id, created, ownedBy: "tessera", contextLength };
}

const nowInSeconds = (): number => Math.floor(Date.now() / 1000);

async function embed(runtime: Runtime, loaded: LoadedEncoder | StaticModel, texts: readonly string[]) {
  if (loaded instanceof StaticModel) {
    const numTokens = texts.reduce((sum, text) => sum + loaded.tokenizer.count(text), 0);
    return { vectors: texts.map((text) => loaded.embed(text)), numTokens };
  }
  const { prefix, suffix } = loaded.tokenizer.template;
  const { maxPositions } = loaded.encoder;
  const counts = texts.map((text) => loaded.tokenizer.count(text) + prefix.length + suffix.length);
  for (const [i, count] of counts.entries()) {
    if (count > maxPositions) throw tooLong(`input.${i}`, `the text has ${count} tokens`, maxPositions);
  }
  const numTokens = counts.reduce((sum, count) => sum + count, 0);
  return { vectors: await embedTexts(runtime, loaded, texts), numTokens };
}

class ModelWriter {
  readonly #id: string;
  readonly #tokenizer: Tokenizer;
  readonly #vocabSize: number;
  readonly #engine: Engine;
  readonly #templates: ReadonlyMap<string, ChatTemplate>;
  readonly #endIds: ReadonlySet<number>;
  readonly #beginId: number | undefined;
  readonly #constraints: TextConstraints;
  readonly #adapters: AdapterModels;

  constructor(id: string, loaded: TextModel, engine: Engine, adapters: AdapterModels) {
    this.#id = id;
    this.#adapters = adapters;
    this.#tokenizer = loaded.tokenizer;
    this.#vocabSize = loaded.model.vocabSize;
    this.#engine = engine;
    this.#templates = chatTemplatesOf(loaded);
    this.#endIds = endIdsOf(loaded, this.#templates.get("default"));
    this.#beginId = beginIdOf(loaded);
    this.#constraints = new TextConstraints(loaded.tokenizer);
  }

  get hasChat(): boolean {
    return this.#templates.has("default");
  }

  countTokens(prompt: Prompt): number {
    return this.#encode(prompt).length;
  }

  renderChat({ model, messages, tools, variables }: ChatRequest): RenderedChat {
    this.#checkModel(model);
    const name = tools.length > 0 && this.#templates.has("tool_use") ? "tool_use" : "default";
    const template = this.#templates.get(name);
    if (!template) {
      throw new UnsupportedError(`${model} has no chat template, so it takes no chats; use /v1/completions`);
    }
    const text = renderChat(template, messages, {
      addGenerationPrompt: true,
      variables,
      ...(tools.length > 0 && { tools: tools.map((tool) => ({ ...tool })) }),
    });
    return { text, toolCalls: toolCallFormatOf(template.source) };
  }

  generate(request: TextRequest): Generation {
    this.#checkModel(request.model);
    const ids = this.#encode(request.prompt);
    const room = this.#engine.contextLength - ids.length;
    if (room < (request.maxTokens ?? 1)) {
      const asked = request.maxTokens === undefined ? "" : ` and ${request.maxTokens} are asked for`;
      const param = request.prompt.kind === "chat" ? "messages" : "prompt";
      throw tooLong(param, `the prompt has ${ids.length} tokens${asked}`, this.#engine.contextLength);
    }
    const stops = new StopStrings(request.stop);
    const options = this.#optionsOf(request);
    checkSampling(options);
    const decoder = this.#tokenizer.streamDecoder({ keepSpecialTokens: request.keepSpecialTokens ?? false });
    // the text goes on where the prompt ends
    for (const id of ids) decoder.push(id);
    return { numPromptTokens: ids.length, pieces: this.#pieces(ids, decoder, options, stops) };
  }

  generateAfter(prompt: AsyncIterable<string>, request: Omit<TextRequest, "prompt">): Generation {
    this.#checkModel(request.model);
    const stops = new StopStrings(request.stop);
    const options = this.#optionsOf(request);
    checkSampling(options);
    const decoder = this.#tokenizer.streamDecoder({ keepSpecialTokens: request.keepSpecialTokens ?? false });
    let numPromptTokens = 0;
    const read = async function* (pieces: AsyncIterable<Int32Array>): AsyncGenerator<Int32Array, void> {
      for await (const ids of pieces) {
        for (const id of ids) decoder.push(id);
        numPromptTokens += ids.length;
        yield ids;
      }
    };
    return {
      get numPromptTokens() {
        return numPromptTokens;
      },
      pieces: this.#pieces(read(this.#encodeStream(prompt)), decoder, options, stops),
    };
  }

  writeBlocks(request: BlockRequest, done?: readonly BlockRecord[]): AsyncGenerator<BlockRecord, void> {
    const { prompt, stop, seed, blockTokens, beyondContext, onBlock } = request;
    const options: BlockOptions = {
      ...this.#optionsOf({ ...request, model: this.#id }),
      prompt: this.#encode(prompt),
      stop,
      seed,
      blockTokens,
      ...(beyondContext && { beyondContext }),
      ...(onBlock && { onBlock }),
    };
    return writeBlocks({ engine: this.#engine, tokenizer: this.#tokenizer }, options, done);
  }

  /** Ids of a prompt that comes in pieces, with what the model expects before it. */
  async *#encodeStream(prompt: AsyncIterable<string>): AsyncGenerator<Int32Array, void> {
    const encoder = this.#tokenizer.streamEncoder();
    const { prefix } = this.#tokenizer.template;
    let isEmpty = prefix.length === 0;
    if (!isEmpty) yield Int32Array.from(prefix);
    for await (const text of prompt) {
      const ids = encoder.push(text);
      isEmpty &&= ids.length === 0;
      yield ids;
    }
    const rest = encoder.flush();
    yield isEmpty && rest.length === 0 ? this.#encode({ kind: "ids", ids: [] }) : rest;
  }

  async *#pieces(
    ids: PromptIds,
    decoder: StreamDecoder,
    options: RequestOptions,
    stops: StopStrings,
  ): AsyncGenerator<TextPiece, void> {
    const tokens = this.#engine.generate(ids, options);
    try {
      for (let next = await tokens.next(); ; next = await tokens.next()) {
        if (next.done) {
          if (next.value.reason === "aborted") return;
          const end = stops.push(decoder.flush());
          const finishReason = next.value.reason === "stop" || end.stop !== undefined ? "stop" : "length";
          yield { text: end.stop === undefined ? end.text + stops.flush() : end.text, ids: [], finishReason };
          return;
        }
        const { text, stop } = stops.push(decoder.push(next.value.id));
        const piece = { text, ids: [next.value.id], ...this.#logprobsOf(next.value) };
        yield stop === undefined ? piece : { ...piece, finishReason: "stop" };
        if (stop !== undefined) return;
      }
    } finally {
      await tokens.return({ reason: "aborted", promptTokens: 0, cachedTokens: 0, generatedTokens: 0 });
    }
  }

  #optionsOf(request: Omit<TextRequest, "prompt" | "stop">): Omit<RequestOptions, "seed"> & { seed: number } {
    const { model, sampling, seed, maxTokens, logprobs, constraint, signal } = request;
    const { topP, ...rest } = sampling;
    for (const id of sampling.logitBias?.keys() ?? []) this.#checkId(id, "logit_bias");
    return {
      ...rest,
      // the fewest tokens that reach 0 are the likeliest one
      topP: Math.max(topP, Number.MIN_VALUE),
      seed,
      stopIds: this.#endIds,
      signal,
      ...(maxTokens !== undefined && { maxTokens }),
      ...(logprobs !== undefined && { logprobs }),
      ...(model !== this.#id && { adapter: model }),
      ...(constraint && { constraint: this.#constraints.of(constraint) }),
    };
  }

  #logprobsOf({ id, logprobs }: SampledToken): Pick<TextPiece, "logprobs"> {
    if (!logprobs) return {};
    const chance = (token: number, logprob: number): TokenChance => ({ ...this.#spelled(token), logprob });
    const top = logprobs.top.map((likely) => chance(likely.id, likely.logprob));
    return { logprobs: [{ ...chance(id, logprobs.logprob), top }] };
  }

  #spelled(id: number): Pick<TokenChance, "token" | "bytes"> {
    const isKnown = this.#tokenizer.token(id) !== undefined;
    const token = isKnown ? this.#withinText(id) : "";
    return { token, bytes: [...(this.#partOfCharacter(id, token) ?? new TextEncoder().encode(token))] };
  }

  /** What a token adds to a text: some tokenizers leave out the space of the first one. */
  #withinText(id: number): string {
    const decoder = this.#tokenizer.streamDecoder({ keepSpecialTokens: true });
    const before = decoder.push(this.#tokenizer.encode("a")[0] ?? id);
    const added = decoder.push(id) + decoder.flush();
    return before === "" ? this.#tokenizer.decode([id], { keepSpecialTokens: true }) : added;
  }

  /** Bytes of a token that is no whole text. */
  #partOfCharacter(id: number, token: string): Uint8Array | undefined {
    return token.includes("\ufffd") ? this.#constraints.bytes[id] : undefined;
  }

  #encode(prompt: Prompt): Int32Array {
    const ids = this.#idsOf(prompt);
    if (ids.length > 0) return ids;
    if (this.#beginId !== undefined) return Int32Array.of(this.#beginId);
    throw new ApiError(400, `the prompt is empty, and ${this.#id} has no token to begin with; write something`, {
      param: "prompt",
      code: "invalid_value",
    });
  }

  #idsOf(prompt: Prompt): Int32Array {
    if (prompt.kind === "ids") return this.#checkedIds(prompt.ids);
    if (prompt.kind === "chat") return this.#tokenizer.encode(prompt.text, { specialTokens: true });
    return Int32Array.from([...this.#tokenizer.template.prefix, ...this.#tokenizer.encode(prompt.text)]);
  }

  #checkedIds(ids: readonly number[]): Int32Array {
    for (const id of ids) this.#checkId(id, "prompt");
    return Int32Array.from(ids);
  }

  #checkId(id: number, param: string): void {
    if (id < this.#vocabSize) return;
    throw new ApiError(400, `${param}: token id ${id} is outside the vocabulary of ${this.#vocabSize}`, {
      param,
      code: "invalid_value",
    });
  }

  #checkModel(model: string): void {
    if (model === this.#id || this.#adapters.has(model)) return;
    throw wrongModel(model, `vectors; texts come from ${this.#id}`);
  }
}

function wrongModel(model: string, makes: string): ApiError {
  return new ApiError(400, `${model} makes only ${makes}`, { code: "model_not_supported", param: "model" });
}

function tooLong(param: string, has: string, limit: number): ApiError {
  return new ApiError(400, `${has}, but the context holds ${limit}; shorten the text`, {
    code: "context_length_exceeded",
    param,
  });
}
