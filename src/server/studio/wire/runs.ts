/** @file Runs as the page asks for them and sees them. */

import type { MemoryParts, RunPoint } from "./state.js";

/** Body of `POST /api/runs`. What is left out is as `tessera tune` would have it. */
export interface RunRequest {
  readonly name?: string;
  /** Path of a model on the server's machine. */
  readonly base: string;
  /** Path of a file or folder of examples there. */
  readonly data: string;
  readonly method: string;
  readonly algorithm?: string;
  readonly optimizer?: string;
  readonly precision?: string;
  /** Positions per row. */
  readonly length?: number;
  /** Rows per step. */
  readonly batchSize?: number;
  readonly epochs?: number;
  /** Instead of epochs. */
  readonly steps?: number;
  readonly learningRate?: number;
  readonly memoryBytes?: number;
}

/**
 * Body of `POST /api/runs/:id`: `pause` ends it after the current step with a checkpoint, from which `resume` goes on; `stop`
 * ends it for good and keeps the best parameters; `remove` forgets it with its files.
 */
export interface RunActionRequest {
  readonly action: RunAction;
}
export type RunAction = "pause" | "resume" | "stop" | "remove";

/** What `GET /api/runs/:id/points` answers. */
export interface RunPoints {
  readonly points: readonly RunPoint[];
}

/** What `GET /api/runs/:id` answers. */
export interface RunDetail {
  readonly id: string;
  readonly plan?: RunPlan;
  /** Names and values of what was asked for, as in a configuration file. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** Latest first. */
  readonly samples: readonly RunSamples[];
  readonly report?: RunReport;
  /** What can be downloaded now. */
  readonly files: readonly RunFile[];
  /** What can be made of the model; empty while there is none. */
  readonly exports: readonly ExportChoice[];
}

export interface RunPlan {
  readonly numParameters: number;
  readonly numTrainable: number;
  readonly steps: number;
  /** Positions per row. */
  readonly time: number;
  /** Rows per step. */
  readonly rowsPerStep: number;
  readonly learningRate: number;
  readonly secondsPerStep: number;
  readonly predictedSeconds: number;
  readonly memory: MemoryParts;
}

/** What a model wrote after so many steps. */
export interface RunSamples {
  readonly step: number;
  readonly samples: readonly RunSample[];
}

export interface RunSample {
  readonly prompt: string;
  readonly text: string;
  /** What the example says. */
  readonly expected: string;
}

export interface RunReport {
  readonly steps: number;
  /** Why it ended. */
  readonly reason: string;
  readonly seconds: number;
  readonly tokensPerSecond: number;
  /** Resident memory of its process at most; absent where it was not kept. */
  readonly peakBytes?: number;
  /** Further facts, as `report.md` has them. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export interface RunFile {
  /** Below the run's folder, with forward slashes; part of its download's address. */
  readonly path: string;
  readonly bytes: number;
  readonly kind: "adapter" | "model" | "export" | "record";
}

export interface ExportChoice {
  readonly format: string;
  readonly about: string;
  /** Types of weights, the usual one first. */
  readonly dtypes: readonly string[];
}

/** Body of `POST /api/runs/:id/exports`; answered when it is among the run's files; until then every page shows the work. */
export interface ExportRequest {
  readonly format: string;
  /** Default: the format's usual one. */
  readonly dtype?: string;
}

/** What `POST /api/uploads?name=rows.jsonl` answers. */
export interface Uploaded {
  /** For `RunRequest.data`. */
  readonly path: string;
  readonly bytes: number;
}

/** What `GET /api/choices` answers: what a run and a plan can be made of. */
export interface RunChoices {
  /** Models on this machine that the Studio knows. */
  readonly bases: readonly { readonly path: string; readonly label: string }[];
  readonly methods: readonly string[];
  readonly algorithms: readonly string[];
  readonly optimizers: readonly string[];
  readonly precisions: readonly string[];
  /** Most bytes of an upload. */
  readonly uploadBytes: number;
  /** Memory of the machine. */
  readonly machineBytes: number;
}
