/** @file What the Studio's server serves: each part is behind one group of routes. */

import type { LiveState } from "./live-state.js";
import type { AskResponse, WriteEvent, WriteRequest } from "./wire/index.js";

/** The main job: the folder to an index and a tuned model. */
export interface JobControl {
  /**
   * Starts it, or goes on with one that was stopped.
   * @throws Refusal 409 where it is running.
   */
  start(options: { readonly seconds?: number }): void;
  /** Ends it after the current step, with a checkpoint. @throws Refusal 409 where it is not running. */
  stop(): void;
}

/** Questions to the documents. */
export interface AskService {
  /** @throws Refusal 409 while nothing is indexed, or where documents are no longer as they were indexed. */
  ask(question: string, signal: AbortSignal): Promise<AskResponse>;
}

/** Texts of models. */
export interface WriteService {
  /**
   * Opens the model where it is not open. Ends early when the signal is aborted.
   * @throws Refusal 404 for a writer that is not known; what opening, asking and checking throw.
   */
  write(request: WriteRequest, signal: AbortSignal): AsyncGenerator<WriteEvent, void>;
}

export interface StudioService {
  readonly live: LiveState;
  readonly job: JobControl;
  readonly ask: AskService;
  readonly write: WriteService;
}
