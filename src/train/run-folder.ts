/** @file A run on disk: checkpoints from which it goes on as if it had never stopped. */

import { CheckpointError, ConfigError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import {
  bestCheckpoint,
  type Checkpoint,
  type CheckpointContents,
  type JsonValue,
  loadCheckpoint,
  markBest,
  newestIntact,
  rollBack,
  saveCheckpoint,
  type TensorSource,
} from "../checkpoint/index.js";
import type { Parameters } from "../nn/index.js";
import type { LossScale } from "./loss-scale.js";
import type { Optimizer } from "./optim/index.js";

export interface RunFolder {
  readonly root: string;
  /** Steps between checkpoints; 0 saves at the end only. */
  readonly every: number;
  /** Checkpoints to keep besides the best. */
  readonly keep: number;
  /** What makes this run itself: hash of data, base, and options. A folder of another run is refused. */
  readonly fingerprint: string;
}

/** How far a run is. Order of rows, masks and learning rates all follow from the step. */
export interface RunProgress {
  /** Steps taken. */
  step: number;
  /** Held-out loss before the first step and at the last evaluation. */
  before?: number;
  after?: number;
  best?: { step: number; loss: number };
  /** Evaluations since the best. */
  sinceBest: number;
}

/** What a run changes, in the form in which checkpoints hold it. */
export interface RunState {
  /** Parameters that are trained. */
  readonly parameters: ReadonlyMap<string, HostTensor>;
  /** What a checkpoint holds; that of the best step holds the group "parameters". */
  save(isBest: boolean): StateContents | Promise<StateContents>;
  /** Brings parameters and all else to where the checkpoint's step left them. */
  load(checkpoint: Checkpoint): Promise<void>;
}

export interface StateContents {
  readonly tensors: CheckpointContents["tensors"];
  /** Beside the run's progress. */
  readonly state?: Readonly<Record<string, JsonValue>>;
}

/** The state of a run as tensors: parameters, and the optimiser's states. */
export class TensorState implements RunState {
  private constructor(
    readonly parameters: ReadonlyMap<string, HostTensor>,
    readonly optimizer: Optimizer,
    readonly lossScale: LossScale | undefined,
  ) {}

  static of(
    parameters: Parameters,
    isTrained: (name: string) => boolean,
    optimizer: Optimizer,
    lossScale?: LossScale,
  ): TensorState {
    return new TensorState(new Map([...parameters].filter(([name]) => isTrained(name))), optimizer, lossScale);
  }

  save(): StateContents {
    return {
      tensors: { parameters: this.parameters, optimizer: this.optimizer.states() },
      ...(this.lossScale && { state: { lossScale: this.lossScale.save() } }),
    };
  }

  async load(checkpoint: Checkpoint): Promise<void> {
    this.lossScale?.load((checkpoint.state as Record<string, JsonValue>).lossScale);
    await readAll(checkpoint.group("parameters"), this.parameters);
    for (const [name, parameter] of this.parameters) this.optimizer.prepare(name, parameter);
    await readAll(checkpoint.group("optimizer"), new Map(this.optimizer.states()));
  }
}

/** Saves the run's state; returns the folder. */
export async function saveRun(folder: RunFolder, progress: RunProgress, run: RunState): Promise<string> {
  const { step, before = null, after = null, best = null, sinceBest } = progress;
  const isBest = best?.step === step;
  const { tensors, state: own } = await run.save(isBest);
  const state: JsonValue = { ...own, fingerprint: folder.fingerprint, step, before, after, best, sinceBest };
  const path = await saveCheckpoint(folder.root, step, { tensors, state }, { keep: folder.keep });
  if (isBest) await markBest(folder.root, step);
  return path;
}

/**
 * Takes up a run where its newest intact checkpoint left it; a fresh start where there is none.
 * @throws ConfigError when the folder belongs to another run; CheckpointError when checkpoints are there but none is intact.
 */
export async function resumeRun(folder: RunFolder | undefined, run: RunState): Promise<RunProgress> {
  if (!folder) return { step: 0, sinceBest: 0 };
  const { checkpoint, skipped } = await newestIntact(folder.root);
  if (!checkpoint) {
    if (skipped[0]) {
      throw new CheckpointError(
        `${folder.root}: no checkpoint is intact: ${skipped[0].error.message}; remove the folder to start over`,
      );
    }
    return { step: 0, sinceBest: 0 };
  }
  try {
    const state = checkpoint.state as Record<string, JsonValue>;
    if (state.fingerprint !== folder.fingerprint) {
      throw new ConfigError(
        `${folder.root} holds checkpoints of another run (other data, base or options); choose another folder or remove it`,
      );
    }
    await run.load(checkpoint);
    await rollBack(folder.root, checkpoint.step);
    const { before, after, best, sinceBest } = state;
    return {
      step: checkpoint.step,
      sinceBest: sinceBest as number,
      ...(before !== null && { before: before as number }),
      ...(after !== null && { after: after as number }),
      ...(best !== null && { best: best as { step: number; loss: number } }),
    };
  } finally {
    await checkpoint.close();
  }
}

/** Reads the parameters of the best step back into memory. */
export async function restoreBest({ root }: RunFolder, parameters: ReadonlyMap<string, HostTensor>): Promise<void> {
  const location = await bestCheckpoint(root);
  if (!location)
    throw new CheckpointError(`${root}: the checkpoint of the best step is gone; its parameters cannot be restored`);
  await using checkpoint = await loadCheckpoint(location.path);
  await readAll(checkpoint.group("parameters"), parameters);
}

/** @throws CheckpointError when the tensors there are not those that are wanted. */
export async function readAll(source: TensorSource, into: ReadonlyMap<string, HostTensor>): Promise<void> {
  const missing = [...into.keys()].find((name) => !source.tensors.has(name));
  if (missing !== undefined || source.tensors.size !== into.size) {
    throw new CheckpointError(
      `the checkpoint holds ${source.tensors.size} tensors, expected ${into.size}${missing ? `; "${missing}" is not there` : ""}`,
    );
  }
  for (const [name, { data }] of into) await source.readInto(name, data);
}
