/** @file A training step as files that stock ONNX Runtime runs: the step, the weights that it starts from, what feeds what. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { ConfigError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { replaceFiles } from "../checkpoint/atomic.js";
import { encodeSafetensors } from "../checkpoint/index.js";
import type { Aval } from "../graph/index.js";
import { type LanguageModel, type Parameters, parameterSpecs } from "../nn/index.js";
import { lower } from "../onnx/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { NEXT, type StepGraphOptions, trainingStepGraph } from "../train/index.js";
import { withInitializers, writeOnnxFile } from "./onnx-file.js";

export interface TrainingStepOptions extends StepGraphOptions {
  /** Frozen weights beyond this many bytes go to `<file>.data` beside the model. Default 1.9 GB, as protobuf ends at 2. */
  readonly mostInside?: number;
}

/** What the JSON file beside the model says. */
export interface TrainingStep {
  /** Names of files beside it. */
  readonly model: string;
  /** Values of the trained parameters before the first step, under the names of inputs. */
  readonly weights: string;
  readonly optimizer: string;
  readonly weightDecay: number;
  readonly clipNorm: number | null;
  readonly inputs: Readonly<Record<string, Aval>>;
  readonly outputs: Readonly<Record<string, Aval>>;
  /** The input of the next step that an output is, by the output's name. */
  readonly feeds: Readonly<Record<string, string>>;
  /** Inputs that are zero before the first step: the optimiser's states. */
  readonly zeros: readonly string[];
}

const ENDING = ".onnx";

/**
 * Writes `<name>.onnx` (see `trainingStepGraph`; frozen weights are in it, once), `<name>.safetensors` and `<name>.json`.
 * @throws ConfigError when the path does not end in .onnx, and what `trainingStepGraph` throws.
 */
export async function writeTrainingStep(
  path: string,
  model: LanguageModel,
  parameters: Parameters,
  options: TrainingStepOptions,
): Promise<{ readonly step: TrainingStep; readonly files: readonly string[] }> {
  if (!path.endsWith(ENDING)) throw new ConfigError(`a training step is written to a file <name>.onnx, got ${path}`);
  const beside = (ending: string): string => path.slice(0, -ENDING.length) + ending;
  const specs = parameterSpecs(model);
  const some = (isTrained: boolean): Map<string, HostTensor> =>
    new Map(
      specs.flatMap(({ name }) =>
        options.isTrainable(name) === isTrained ? [[name, parameters.get(name)!] as const] : [],
      ),
    );
  const [trained, frozen] = [some(true), some(false)];
  const file = withInitializers(lower(trainingStepGraph(model, options)), frozen);
  const avals = (values: typeof file.inputs): Record<string, Aval> =>
    Object.fromEntries(values.map(({ name, aval: { dtype, shape } }) => [name, { dtype, shape }]));
  const next = file.outputs.flatMap(({ name }) => (name.startsWith(NEXT) ? [name] : []));
  const feeds = Object.fromEntries(next.map((name) => [name, name.slice(NEXT.length)]));
  const step: TrainingStep = {
    model: basename(path),
    weights: basename(beside(".safetensors")),
    optimizer: options.optimizer.name,
    weightDecay: options.weightDecay,
    clipNorm: options.clipNorm,
    inputs: avals(file.inputs),
    outputs: avals(file.outputs),
    feeds,
    zeros: Object.values(feeds).filter((name) => !trained.has(name)),
  };
  await writeOnnxFile(path, file, frozen, options.mostInside);
  await replaceFiles([
    [beside(".safetensors"), encodeSafetensors(trained)],
    [beside(".json"), [new TextEncoder().encode(`${JSON.stringify(step, null, 2)}\n`)]],
  ]);
  const files = [path, `${path}.data`, beside(".safetensors"), beside(".json")].filter(existsSync);
  return { step, files };
}

/** A written step as a program of this process. */
export async function loadTrainingStep(runtime: Runtime, path: string, step: TrainingStep): Promise<Program> {
  return runtime.load(
    await readFile(path),
    { name: step.model, inputs: step.inputs, outputs: step.outputs },
    dirname(path),
  );
}
