/** @file What a server's process and its engine's process say to each other. Everything is structured-clonable. */

import type { EngineStatistics } from "../../engine/index.js";
import type {
  ChatRequest,
  EmbeddingRequest,
  Embeddings,
  LoadAdapterRequest,
  Prompt,
  RenderedChat,
  ServedModel,
  TextPiece,
  TextRequest,
} from "../../server/openai/service.js";
import type { PlainError } from "../plain-error.js";
import type { SpeculationChoice } from "../speculation.js";
import type { TextServiceOptions } from "../text-service.js";

/** What to open: the options of a text service, with models by their paths. */
export interface TextProcessOptions extends Omit<TextServiceOptions, "embeddings" | "speculation" | "cache"> {
  /** Model folder, GGUF or llama2.c file. */
  readonly path: string;
  readonly embeddings?: { readonly id: string; readonly path: string };
  readonly speculation?: Omit<SpeculationChoice, "draft"> & { readonly draftPath?: string };
  /** Threads of the runtime. Default: as many as there are cores. */
  readonly numThreads?: number;
}

/** What does not change while a service is open. */
export interface ServiceFacts {
  readonly id: string;
  readonly weightBytes: number;
  readonly concurrency: number;
  readonly hasChat: boolean;
  readonly models: readonly ServedModel[];
  readonly hasEmbeddings: boolean;
}

/** Calls with one answer, by name. Adding one is a line here and one in `host.ts`. */
export interface Calls {
  renderChat: { readonly argument: ChatRequest; readonly result: RenderedChat };
  /** Checks a text's request and keeps it, under the call's id, until it has ended or was aborted. */
  prepare: { readonly argument: Omit<TextRequest, "signal">; readonly result: { readonly numPromptTokens: number } };
  embed: { readonly argument: Omit<EmbeddingRequest, "signal">; readonly result: Embeddings };
  loadAdapter: { readonly argument: LoadAdapterRequest; readonly result: ServedModel };
  /** By name. */
  unloadAdapter: { readonly argument: string; readonly result: null };
  countTokens: { readonly argument: Prompt; readonly result: number };
  statistics: { readonly argument: null; readonly result: EngineStatistics };
}

export type CallName = keyof Calls;

export interface CallMessage<Name extends CallName = CallName> {
  readonly type: "call";
  readonly id: number;
  readonly name: Name;
  readonly argument: Calls[Name]["argument"];
}

export type ToHost =
  | { readonly type: "open"; readonly options: TextProcessOptions }
  | { readonly [Name in CallName]: CallMessage<Name> }[CallName]
  /** `count` more pieces of a prepared text may be sent; the first such message starts it. */
  | { readonly type: "read"; readonly id: number; readonly count: number }
  | { readonly type: "abort"; readonly id: number }
  | { readonly type: "close" };

export interface SpeculationSums {
  readonly proposed: number;
  readonly accepted: number;
}

/** What came of one text since the last message. */
export interface TextProgress {
  readonly id: number;
  readonly pieces: TextPiece[];
  /** The text has ended; nothing more comes of it. */
  isDone?: boolean;
  /** Why it ended, where it failed. */
  error?: PlainError;
}

export type FromHost =
  | { readonly type: "ready"; readonly facts: ServiceFacts }
  /** The service could not be opened. */
  | { readonly type: "failed"; readonly error: PlainError }
  | { readonly type: "result"; readonly id: number; readonly result: Calls[CallName]["result"] }
  | { readonly type: "error"; readonly id: number; readonly error: PlainError }
  /** One step of the engine: all texts that it moved. */
  | {
      readonly type: "progress";
      readonly texts: readonly TextProgress[];
      /** Tokens that were proposed and accepted so far, where any are. */
      readonly speculation?: SpeculationSums;
    };

/** Pieces of a text that may be under way or unread; the other side stops sending beyond. */
export const readAhead = 256;
