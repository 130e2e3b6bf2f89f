/** @file Training in phases, each with a method, a set of parameters, an optimiser and a schedule of its own. */

import { ConfigError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import type { LanguageModel, Parameters } from "../nn/index.js";
import {
  type TrainContext,
  type TrainData,
  type TrainEvent,
  type TrainOptions,
  type TrainSummary,
  train,
} from "./loop.js";

/** A phase: what a tuning method makes of the model (`Tuning` of peft fits), and how it is trained. */
export interface TrainPhase {
  /** Names the phase's checkpoints. */
  readonly name: string;
  readonly model: LanguageModel;
  readonly isTrainable: (name: string) => boolean;
  /** Values of parameters that are not there yet, from those that are: called when the phase before has ended. */
  start?(parameters: Parameters): ReadonlyMap<string, HostTensor>;
  readonly options: Omit<TrainOptions, "isTrainable">;
  /** The phase's own data. Default: the run's. */
  readonly data?: TrainData;
}

export interface PhasedContext extends Omit<TrainContext, "model" | "parameters"> {
  /** Updated in place; phases add to it. */
  readonly parameters: Map<string, HostTensor>;
}

export type PhasedEvent = TrainEvent & { readonly phase: string };

/**
 * Runs phases one after another. Only a phase's own parameters change in it, and its optimiser's states are freed when it
 * ends. With a folder every phase keeps its checkpoints in a folder of its own within, so that a run that was killed in a
 * later phase takes up the earlier ones as they ended. Returns the summaries, as many as phases began.
 * @throws ConfigError when there is no phase, two have one name, or parameters of a phase are missing.
 */
export async function* trainPhases(
  { parameters, folder, ...context }: PhasedContext,
  data: TrainData,
  phases: readonly TrainPhase[],
): AsyncGenerator<PhasedEvent, TrainSummary[]> {
  const names = new Set(phases.map(({ name }) => name));
  const wrong = phases.find(({ name }) => !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name));
  if (phases.length === 0 || names.size < phases.length || wrong) {
    throw new ConfigError(
      `phases: expected at least one, with names of letters, digits, ".", "_" and "-" that differ, got ${JSON.stringify(phases.map(({ name }) => name))}`,
    );
  }
  const summaries: TrainSummary[] = [];
  for (const [i, { name, model, isTrainable, start, options, data: own = data }] of phases.entries()) {
    for (const [key, value] of start?.(parameters) ?? []) if (!parameters.has(key)) parameters.set(key, value);
    const within = folder && { ...folder, root: `${folder.root}/${i + 1}-${name}` };
    const run = train({ ...context, model, parameters, ...(within && { folder: within }) }, own, {
      ...options,
      isTrainable,
    });
    let next = await run.next();
    for (; !next.done; next = await run.next()) yield { ...next.value, phase: name };
    summaries.push(next.value);
    if (next.value.reason === "aborted") break;
  }
  return summaries;
}
