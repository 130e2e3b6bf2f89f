/** @file What the Studio's server serves: each part is behind one group of routes. */

import type { LiveState } from "./live-state.js";
import type { AskResponse } from "./wire/index.js";

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

export interface StudioService {
  readonly live: LiveState;
  readonly job: JobControl;
  readonly ask: AskService;
}
