/** @file What the Studio's server serves: each part is behind one group of routes. */

import type { LiveState } from "./live-state.js";
import type {
  AskResponse,
  AttentionPicture,
  AttentionRequest,
  CutRequest,
  CutResponse,
  DocumentList,
  ExportRequest,
  IndexCutting,
  ModelFacts,
  PlanAnswer,
  PlanChange,
  PlanRequest,
  PreferenceFacts,
  PreferenceRequest,
  RunAction,
  RunChoices,
  RunDetail,
  RunPoint,
  RunRequest,
  RunSummary,
  ShownDocument,
  Uploaded,
  WeightPicture,
  WriteEvent,
  WriteRequest,
} from "./wire/index.js";

/** The main job: the folder to an index and a tuned model. */
export interface JobControl {
  /**
   * Starts it, or goes on with one that was stopped.
   * @throws Refusal 409 where it is running.
   */
  start(options: { readonly seconds?: number }): void;
  /** Ends it after the current step, with a checkpoint. @throws Refusal 409 where it is not running. */
  stop(): void;
  /** Ends its training for good and goes on with the best parameters. @throws Refusal 409 where it is not training. */
  finish(): void;
}

/** Trainings: that of the main job, and those that pages start. @throws Refusal 404 for a run that is not known. */
export interface Runs {
  /** Resolves once data and model have been read. @throws Refusal 400 naming the field that is wrong. */
  start(request: RunRequest): Promise<RunSummary>;
  /** @throws Refusal 409 where the run's status does not allow it. */
  act(id: string, action: RunAction): Promise<void>;
  detail(id: string): Promise<RunDetail>;
  /** Points of steps from `from` on, in their order. */
  points(id: string, from: number): Promise<readonly RunPoint[]>;
  /** Makes files of the run's model; resolves when they are there. @throws Refusal 409 while there is no model. */
  export(id: string, request: ExportRequest): Promise<void>;
  /** A file that `detail` lists. @throws Refusal 404 for any other. */
  open(id: string, path: string): Promise<Download>;
  /** Keeps a file of examples. @throws Refusal 415 for what is none. */
  upload(name: string, bytes: Uint8Array): Promise<Uploaded>;
  choices(): RunChoices;
}

export interface Download {
  /** To be kept under. */
  readonly name: string;
  readonly bytes: number;
  readonly stream: ReadableStream<Uint8Array>;
}

/** Questions to the documents. */
export interface AskService {
  /** @throws Refusal 409 while nothing is indexed, or where documents are no longer as they were indexed. */
  ask(question: string, signal: AbortSignal): Promise<AskResponse>;
}

/** The documents of the index, and ways to cut them. */
export interface DocumentsService {
  /** @throws Refusal 409 while nothing is indexed. */
  list(): Promise<DocumentList>;
  /** @throws Refusal 404 for a path that is not in the index, or whose file is gone. */
  show(path: string): Promise<ShownDocument>;
  /**
   * Cuts one document in another way; the index stays as it is.
   * @throws Refusal 400 for settings that do not fit it, 409 when its file has changed since it was shown.
   */
  cut(request: CutRequest, signal: AbortSignal): Promise<CutResponse>;
  /** Makes the index anew. @throws Refusal 409 while the main job runs or the index is being made. */
  reindex(cutting: IndexCutting): void;
}

/** Texts of models. */
export interface WriteService {
  /**
   * Opens the model where it is not open. Ends early when the signal is aborted.
   * @throws Refusal 404 for a writer that is not known; what opening, asking and checking throw.
   */
  write(request: WriteRequest, signal: AbortSignal): AsyncGenerator<WriteEvent, void>;
}

/** Which of two texts is better. */
export interface PreferenceService {
  /**
   * Keeps a judgement; it is on the disk when the promise is settled.
   * @throws Refusal 400 for a writer that is not known, and for a better one of two equal texts.
   */
  add(request: PreferenceRequest): Promise<PreferenceFacts>;
  /** All pairs as JSON lines with prompt, chosen and rejected. */
  pairs(): Promise<string>;
}

/** Trainings that have not begun. @throws Refusal 400 for what is no model. */
export interface Plans {
  plan(request: PlanRequest): Promise<PlanAnswer>;
  /** Single changes with which it would fit. */
  changes(request: PlanRequest): Promise<readonly PlanChange[]>;
}

/** The writers of the state from the inside. */
export interface ModelsService {
  /** @throws Refusal 404 for an id that is not known. */
  facts(id: string): Promise<ModelFacts>;
  /** @throws Refusal 404 for a tensor that the model does not have. */
  weights(id: string, name: string): Promise<WeightPicture>;
  /** @throws Refusal 400 for a text that is too long, or a model of which attention is not offered. */
  attention(request: AttentionRequest): Promise<AttentionPicture>;
}

export interface StudioService {
  readonly live: LiveState;
  readonly job: JobControl;
  readonly ask: AskService;
  readonly documents: DocumentsService;
  readonly models: ModelsService;
  readonly write: WriteService;
  readonly preferences: PreferenceService;
  readonly runs: Runs;
  readonly plan: Plans;
}
