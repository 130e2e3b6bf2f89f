/** @file What the Studio's server serves: each part is behind one group of routes. */

import type { LiveState } from "./live-state.js";
import type { AskResponse, CutRequest, CutResponse, DocumentList, IndexCutting, ShownDocument } from "./wire/index.js";

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

export interface StudioService {
  readonly live: LiveState;
  readonly job: JobControl;
  readonly ask: AskService;
  readonly documents: DocumentsService;
}
