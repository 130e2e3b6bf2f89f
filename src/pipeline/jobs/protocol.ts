/** @file What a process and the job that it watches say to each other. Everything is structured-clonable. */

import type { RunExport } from "../export-run.js";
import type { IndexReport } from "../knowledge-base/knowledge-base.js";
import type { IndexSettings } from "../knowledge-base/settings.js";
import type { SyncingEvent } from "../knowledge-base/syncing.js";
import type { PlainError } from "../plain-error.js";
import type { TuneConfig, TuneEvent } from "../tuning/index.js";
import type { UpEvent, UpRequest } from "../up.js";

/** Kinds of jobs: what each is asked to do, and what it says while it does. */
export interface Jobs {
  up: { readonly request: UpRequest; readonly event: UpEvent };
  /** Says nothing while it goes on. */
  export: { readonly request: RunExport; readonly event: never };
  tune: {
    readonly request: { readonly config: TuneConfig; readonly memoryBytes?: number };
    readonly event: Exclude<TuneEvent, { readonly type: "data" }> | TuneDataEvent;
  };
  index: {
    readonly request: {
      readonly folder: string;
      readonly workspace: string;
      readonly settings: Partial<IndexSettings>;
    };
    readonly event: SyncingEvent | { readonly type: "index"; readonly report: IndexReport };
  };
}

/** What was read, in numbers: the rows themselves stay where they are. */
export interface TuneDataEvent {
  readonly type: "data";
  readonly numTrain: number;
  readonly numHeldOut: number;
  readonly numTokens: number;
}

export type JobName = keyof Jobs;

/** The first starts the job. After the current step, `stop` ends it with a checkpoint, `finish` for good. */
export type ToJob =
  | {
      [Name in JobName]: { readonly type: "start"; readonly job: Name; readonly request: Jobs[Name]["request"] };
    }[JobName]
  | { readonly type: "stop" | "finish" };

export type FromJob =
  | { readonly type: "event"; readonly event: Jobs[JobName]["event"]; readonly rssBytes: number }
  | { readonly type: "done" }
  | { readonly type: "stopped" }
  | { readonly type: "failed"; readonly error: PlainError };
