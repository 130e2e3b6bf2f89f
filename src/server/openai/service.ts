/** @file What the OpenAI-compatible server needs of whatever writes text: models, prompts from chats, text, embeddings. */

import type { ToolCallFormatName } from "./tool-calls/index.js";

export interface ServedModel {
  /** The name that requests give. */
  readonly id: string;
  /** Unix time in seconds. */
  readonly created: number;
  readonly ownedBy: string;
  /** Most tokens of prompt and text together. */
  readonly contextLength: number;
  /** How its makers mean tokens to be chosen, for requests that say nothing. */
  readonly defaults?: Partial<SamplingRequest>;
  /** What its makers set beside and is not followed. */
  readonly unfollowed?: readonly string[];
  /** The model that it is an adapter of. */
  readonly parent?: string;
}

/** A function that the model may call; `parameters` is a JSON schema. */
export interface ToolDefinition {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string | undefined;
    readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  };
}

/** A message as chat templates read it: text content, arguments of tool calls as objects. */
export interface ChatTurn {
  readonly role: string;
  readonly content: string | null;
  readonly [key: string]: unknown;
}

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatTurn[];
  /** Empty where the model is to call none. */
  readonly tools: readonly ToolDefinition[];
  /** More variables for the chat template, such as `enable_thinking`. */
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface RenderedChat {
  /** Text in which special tokens are written out. */
  readonly text: string;
  /** How the model writes tool calls; undefined where its template has none that is known. */
  readonly toolCalls: ToolCallFormatName | undefined;
}

/** Text as users write it, text of a chat template, or token ids. */
export type Prompt =
  | { readonly kind: "plain" | "chat"; readonly text: string }
  | { readonly kind: "ids"; readonly ids: readonly number[] };

/** A text in parts, as the engine's `TextForm`. */
export type AnswerForm =
  | string
  | { readonly type: "json"; readonly schema?: Readonly<Record<string, unknown>>; readonly name?: string }
  | { readonly type: "free"; readonly without: string; readonly notFirst?: string }
  | { readonly type: "sequence"; readonly parts: readonly AnswerForm[] }
  | { readonly type: "choice"; readonly options: readonly AnswerForm[] }
  | { readonly type: "repeat"; readonly part: AnswerForm; readonly min: number; readonly max?: number };

/** What a finished text must be. */
export type TextConstraint =
  | { readonly type: "json" }
  | { readonly type: "json_schema"; readonly schema: Readonly<Record<string, unknown>> }
  /** `begun` stands at the prompt's end; the text is the rest. */
  | { readonly type: "form"; readonly form: AnswerForm; readonly begun: string };

/** Values in OpenAI's ranges; those that change nothing are absent. */
export interface SamplingRequest {
  /** 0 takes the most likely token. */
  readonly temperature: number;
  /** From 0 to 1; 1 keeps all tokens. */
  readonly topP: number;
  readonly topK?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  /** Added to the logits of token ids. */
  readonly logitBias?: ReadonlyMap<number, number>;
}

export interface TextRequest {
  readonly model: string;
  readonly prompt: Prompt;
  /** Default: until the context is full. */
  readonly maxTokens?: number;
  readonly sampling: SamplingRequest;
  /** Equal seeds give equal text. */
  readonly seed: number;
  /** The text ends before the first of these. */
  readonly stop: readonly string[];
  /** Log-probabilities of each token and of this many likely others. */
  readonly logprobs?: number;
  readonly constraint?: TextConstraint;
  /** Writes special tokens out, for formats of tool calls that consist of them. */
  readonly keepSpecialTokens?: boolean;
  /** Ends the text before the next token. */
  readonly signal: AbortSignal;
}

export interface TokenChance {
  readonly token: string;
  /** The token's bytes; tokens may hold parts of characters. */
  readonly bytes: readonly number[];
  /** Natural logarithm of the probability. */
  readonly logprob: number;
}

export interface TextPiece {
  /** May be empty, while a character or a stop string is unfinished. */
  readonly text: string;
  readonly ids: readonly number[];
  /** One per id, where they were asked for, each with the likeliest tokens in its place. */
  readonly logprobs?: readonly (TokenChance & { readonly top: readonly TokenChance[] })[];
  /** In the last piece: `length` where the limit of tokens or the context ended the text. */
  readonly finishReason?: "stop" | "length";
}

export interface Generation {
  readonly numPromptTokens: number;
  /** Ends with a piece that has a finish reason, unless the signal was aborted. */
  readonly pieces: AsyncGenerator<TextPiece, void>;
}

export interface EmbeddingRequest {
  readonly model: string;
  readonly texts: readonly string[];
  readonly signal: AbortSignal;
}

export interface Embeddings {
  readonly vectors: readonly Float32Array[];
  readonly numTokens: number;
}

/** An adapter that comes while the service runs. */
export interface LoadAdapterRequest {
  readonly name: string;
  /** Its folder, from the one that adapters may be in. */
  readonly path: string;
}

/** How an engine fares that lives outside the server's process. */
export interface EngineState {
  /** `failed`: it died so often that it is not started again. */
  readonly status: "ok" | "restarting" | "failed";
  /** Starts after the first. */
  readonly restarts: number;
  /** Its process, while there is one. */
  readonly pid?: number;
}

/** Whatever writes text. Errors that are the request's fault are `ApiError`s or errors of `base/errors.ts`. */
export interface TextService {
  /** Requests that run at once; others wait for their turn. */
  readonly concurrency: number;
  models(): readonly ServedModel[];
  /** @throws UnsupportedError when the model has no chat template; DataError when the template refuses the messages. */
  renderChat(request: ChatRequest): Promise<RenderedChat>;
  /**
   * Checks the request at once and computes nothing until the first piece is asked for. Whoever asks for none calls `return`.
   * @throws ApiError for a prompt that does not fit, UnsupportedError for what the model cannot do.
   */
  generate(request: TextRequest): Promise<Generation>;
  /** Tokens that were proposed and accepted so far. Absent where nothing is proposed. */
  speculation?(): { readonly proposed: number; readonly accepted: number };
  /** Absent where no model makes embeddings. */
  embed?(request: EmbeddingRequest): Promise<Embeddings>;
  /**
   * Adds a model that is an adapter of another. Absent where models do not come and go.
   * @throws ApiError for a name that is taken, or a folder that holds no adapter of that model.
   */
  loadAdapter?(request: LoadAdapterRequest): Promise<ServedModel>;
  /** Takes it away; requests that have it go on to their end. @throws ApiError 404 when there is none of that name. */
  unloadAdapter?(name: string): Promise<void>;
  /** Absent where whatever writes cannot die without the server. */
  engineState?(): EngineState;
}
