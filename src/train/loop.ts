/** @file The one training loop: step, evaluate, checkpoint, report, whatever the algorithm of a step. */

import { ConfigError } from "../base/errors.js";
import type { StepReport, TrainContext, Trainer, TrainOptions } from "./algorithms/algorithm.js";
import { backprop } from "./algorithms/index.js";
import type { PackedDataset } from "./data/packing.js";
import { Evaluation } from "./evaluate.js";
import { type RunProgress, restoreBest, resumeRun, saveRun } from "./run-folder.js";

export type { StepReport, TrainContext, TrainOptions } from "./algorithms/algorithm.js";

export interface TrainData {
  readonly train: PackedDataset;
  readonly heldOut?: PackedDataset;
}

export type TrainEvent =
  | StepReport
  | { readonly type: "evaluation"; readonly step: number; readonly loss: number }
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string };

export interface TrainSummary {
  readonly steps: number;
  /** "ended": by `TrainContext.finish`. */
  readonly reason: "finished" | "early stop" | "ended" | "aborted";
  /** Held-out loss before the first step, after the last one, and at the best evaluation. */
  readonly before?: number;
  readonly after?: number;
  readonly best?: { readonly step: number; readonly loss: number };
}

/**
 * Trains in place and reports as it goes. With a folder, a run that was killed goes on from its last checkpoint with the
 * same bits, and at the end the parameters of the best evaluation are the ones that remain; without one, the last.
 * @throws TrainingError naming the step when loss or gradient stop being numbers; checkpoints stay as they are.
 * @throws ConfigError when options contradict each other or the folder belongs to another run.
 */
export async function* train(
  context: TrainContext,
  data: TrainData,
  options: TrainOptions,
): AsyncGenerator<TrainEvent, TrainSummary> {
  const { runtime, folder, signal, finish, device } = context;
  const { algorithm = backprop() } = options;
  if (device && !algorithm.runsOnDevice) {
    throw new ConfigError(
      `training: "${algorithm.name}" runs on the CPU only, not on ${device.backend.name}; take backprop, or leave out the device`,
    );
  }
  const trainer = await algorithm.createTrainer(context, data.train, options);
  const evaluation = data.heldOut && (await createEvaluation(context, trainer, data.heldOut, options));
  const heldOutLoss = async (measured: Evaluation): Promise<number> => {
    await trainer.publish?.();
    return measured.loss();
  };
  try {
    const progress = await runtime.outside(() => resumeRun(folder, trainer.state));
    if (evaluation && progress.before === undefined) {
      progress.before = await heldOutLoss(evaluation);
      yield { type: "evaluation", step: 0, loss: progress.before };
    }
    const isStale = (): boolean => options.patience !== null && progress.sinceBest >= options.patience;
    let reason: TrainSummary["reason"] | undefined;
    if (progress.step >= options.steps) reason = "finished";
    else if (isStale()) reason = "early stop";
    while (!reason) {
      yield await trainer.step(progress.step);
      progress.step++;
      if (signal?.aborted) reason = "aborted";
      else if (progress.step === options.steps) reason = "finished";
      else if (finish?.aborted) reason = "ended";
      const isDue = (every: number): boolean => every > 0 && progress.step % every === 0;
      let isBest = false;
      if (evaluation && reason !== "aborted" && (reason || isDue(options.evaluateEvery))) {
        isBest = note(progress, await heldOutLoss(evaluation));
        yield { type: "evaluation", step: progress.step, loss: progress.after! };
        if (isStale()) reason ??= "early stop";
      }
      if (folder && (reason || isBest || isDue(folder.every))) {
        const path = await runtime.outside(() => saveRun(folder, progress, trainer.state));
        yield { type: "checkpoint", step: progress.step, path };
      }
    }
    await trainer.publish?.();
    const { step: steps, before, after, best } = progress;
    if (folder && best && best.step < steps && reason !== "aborted")
      await runtime.outside(() => restoreBest(folder, trainer.state.parameters));
    return {
      steps,
      reason,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
      ...(best && { best }),
    };
  } finally {
    trainer.close();
    evaluation?.close();
  }
}

/** Where the parameters are. */
async function createEvaluation(
  { runtime, model, parameters }: TrainContext,
  trainer: Trainer,
  heldOut: PackedDataset,
  options: TrainOptions,
): Promise<Evaluation> {
  if (!trainer.loss) return Evaluation.create(runtime, model, parameters, heldOut, options);
  return new Evaluation({ run: trainer.loss.bind(trainer), close() {} }, heldOut, options.batchSize);
}

/** Records an evaluation; whether it is the best so far. */
function note(progress: RunProgress, loss: number): boolean {
  progress.after = loss;
  const isBest = !progress.best || loss < progress.best.loss;
  if (isBest) progress.best = { step: progress.step, loss };
  progress.sinceBest = isBest ? 0 : progress.sinceBest + 1;
  return isBest;
}
