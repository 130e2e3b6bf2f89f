/** @file What every open page knows and is told of at once: the main job, the index, runs, models that write, work. */

import type { IndexCutting } from "./documents.js";
import type { PreferenceFacts } from "./preferences.js";

/** Sent whole to a page that opens, and then each part that changes, so that all pages show the same. */
export interface StudioState {
  /** Name of the folder. */
  readonly folder: string;
  readonly job: MainJob;
  /** Absent while the folder is not indexed. */
  readonly index?: IndexFacts;
  /** Of making the index anew from the page; absent where that was not asked for. */
  readonly indexing?: Indexing;
  /** Latest first. */
  readonly runs: readonly RunSummary[];
  /** Models that can be asked to write. */
  readonly writers: readonly Writer[];
  readonly preferences: PreferenceFacts;
  /** Everything that takes long and goes on now, to be seen on every page. */
  readonly work: readonly Work[];
}

/** Stages of the main job, in their order. */
export const jobStages = ["read", "index", "plan", "train", "ready"] as const;
export type JobStage = (typeof jobStages)[number];

/** From a folder to an index and a model tuned on it. */
export interface MainJob {
  /** `stopped` goes on from its last checkpoint when it is started again. */
  readonly status: "idle" | "running" | "stopping" | "stopped" | "done" | "failed";
  /** The one that goes on, or in which it ended. */
  readonly stage: JobStage;
  /** Of a job that failed: what happened and what to do. */
  readonly error?: string;
  readonly plan?: JobPlan;
  readonly progress?: TrainProgress;
  readonly result?: JobResult;
}

/** Bytes that a plan predicts at its peak. */
export interface MemoryParts {
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  /** Hidden states between layers and gradients by them. */
  readonly activations: number;
  /** What forward passes keep for backward passes. */
  readonly residuals: number;
  /** Intermediate values inside programs. */
  readonly workspace: number;
  readonly runtime: number;
  readonly total: number;
}

export interface JobPlan {
  /** Where the model comes from. */
  readonly origin: string;
  readonly method: string;
  readonly numParameters: number;
  readonly numTrainable: number;
  readonly steps: number;
  readonly trainTokens: number;
  readonly heldOutTokens: number;
  readonly predictedSeconds: number;
  readonly memory: MemoryParts;
}

export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss?: number;
  /** Of the last evaluation. */
  readonly heldOutLoss?: number;
  readonly tokensPerSecond?: number;
  readonly secondsLeft?: number;
}

export interface JobResult {
  /** Whether a model of an earlier run with the same inputs was there. */
  readonly isCached: boolean;
  readonly perplexityBefore: number;
  /** Of the weights as they are served. */
  readonly perplexityAfter: number;
  readonly seconds: number;
  readonly steps: number;
  readonly weights: string;
  readonly predictedPeakBytes: number;
  readonly measuredPeakBytes: number;
}

export interface IndexFacts {
  readonly numDocuments: number;
  readonly numChunks: number;
  /** `none` for an index of words alone. */
  readonly embedder: string;
  readonly cutting: IndexCutting;
  readonly skipped: readonly { readonly path: string; readonly reason: string; readonly detail: string }[];
  /** A few headings of the documents, to ask about at first. */
  readonly topics: readonly string[];
}

export interface Indexing {
  readonly status: "running" | "done" | "failed";
  /** Of one that failed: what happened and what to do. */
  readonly error?: string;
}

/** One training, going on or past. */
export interface RunSummary {
  readonly id: string;
  /** `main`: of the main job. */
  readonly kind: "main" | "tune";
  readonly name: string;
  /** `stopped` goes on from its last checkpoint when it is started again. */
  readonly status: "running" | "stopping" | "stopped" | "done" | "failed";
  readonly method: string;
  /** What it started from. */
  readonly base: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly progress?: TrainProgress;
  /** Held-out loss before the first step. */
  readonly lossBefore?: number;
  /** The evaluation whose parameters are kept. */
  readonly best?: { readonly step: number; readonly loss: number };
  /** Memory that the plan predicts, and what the process took at most so far. */
  readonly predictedBytes?: number;
  readonly peakBytes?: number;
  /** Seconds per step as planned, and the mean of those taken. */
  readonly plannedSecondsPerStep?: number;
  readonly secondsPerStep?: number;
  /** Changes whenever the run's samples or files do. */
  readonly revision: number;
  readonly error?: string;
}

export interface Writer {
  readonly id: string;
  readonly label: string;
  readonly kind: "base" | "tuned" | "adapter";
  /** Absent until it has been opened once. */
  readonly contextLength?: number;
  readonly hasChat?: boolean;
}

export interface Work {
  readonly id: string;
  readonly label: string;
  /** From 0 to 1; absent where it is not known. */
  readonly share?: number;
  readonly detail?: string;
}

/** A point of a run's curves. */
export interface RunPoint {
  readonly step: number;
  readonly loss?: number;
  readonly heldOutLoss?: number;
  readonly learningRate?: number;
  readonly tokensPerSecond?: number;
  /** Of the step. */
  readonly seconds?: number;
  /** Resident memory of the run's process. */
  readonly memoryBytes?: number;
}

/** Server-sent events of `GET /api/events`: the state first, then what changes. */
export type StudioEvent =
  | { readonly event: "state"; readonly data: StudioState }
  | { readonly event: "change"; readonly data: Partial<StudioState> }
  | { readonly event: "points"; readonly data: { readonly run: string; readonly points: readonly RunPoint[] } }
  | { readonly event: "beat"; readonly data: null };

/** Body of `POST /api/job`. */
export interface JobRequest {
  readonly action: "start" | "stop";
  /** Of a start: time for training. Default: as the server was started. */
  readonly seconds?: number;
}
