/** @file Plans of trainings that have not begun: memory and time, recomputed as settings move. */

import type { MemoryParts } from "./state.js";

/** Body of `POST /api/plan` and of `POST /api/plan/changes`. */
export interface PlanRequest {
  /** Path of a model on the server's machine. */
  readonly base: string;
  readonly method: string;
  readonly algorithm: string;
  /** Empty or left out: the algorithm's own. */
  readonly optimizer?: string;
  readonly precision: string;
  /** Positions per row. */
  readonly length: number;
  /** Rows per step. */
  readonly batchSize: number;
  /** Default: no limit. */
  readonly memoryBytes?: number;
}

/** What `POST /api/plan` answers. */
export type PlanAnswer = PlannedModel &
  (
    | {
        readonly fits: true;
        readonly memory: MemoryParts;
        readonly secondsPerStep: number;
        readonly tokensPerSecond: number;
        readonly shape: PlanShape;
      }
    | {
        readonly fits: false;
        /** Why; absent where it is the memory alone. */
        readonly reason?: string;
        /** The least that it would take. */
        readonly neededBytes?: number;
      }
  );

export interface PlannedModel {
  readonly numParameters: number;
  readonly maxPositions: number;
  /** Speed of the machine in matrix products, measured once. */
  readonly flopsPerSecond: number;
}

/** How a step is cut to fit. */
export interface PlanShape {
  /** Rows of one micro-batch. */
  readonly rowsAtOnce: number;
  readonly microBatches: number;
  /** What forward passes keep: all, selective (matrix products), or inputs alone, from which the rest is computed again. */
  readonly save: "all" | "selective" | "inputs";
  /** Queries per tile of attention. */
  readonly attentionTile: number;
  /** Positions and tokens of a tile of logits. */
  readonly lossTile: readonly [rows: number, vocabulary: number];
  /** Whether what a step is not using lies in files. */
  readonly isPaging: boolean;
}

/** What `POST /api/plan/changes` answers: single changes with which it would fit, the one that costs least first. */
export interface PlanChanges {
  readonly changes: readonly PlanChange[];
}

export interface PlanChange {
  readonly set: Partial<PlanRequest>;
  readonly totalBytes: number;
}
