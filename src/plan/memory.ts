/** @file Peak memory of a training run, added up before it starts. */

import { byteSize } from "../base/host-tensor.js";
import { storedBytes } from "../compress/index.js";
import type { Graph } from "../graph/index.js";
import { evaluateShape, readLate } from "../graph/index.js";
import { type LanguageModel, type ParameterSpec, parameterSpecs } from "../nn/index.js";
import { frozenLocals, type LayerGraphs, type TrainDescription, type TrainPlanOptions } from "./describe.js";
import { gradientLayout } from "./gradient-layout.js";
import { hiddenBytes, residentBytes } from "./hidden-states.js";
import { layerGraph } from "./layer-graph.js";
import { lossGradientGraph, lossGraph, vocabularyGraphs } from "./loss-graphs.js";
import type { LossPlanOptions } from "./loss-plan.js";
import { storedAs } from "./precision.js";
import { workspaceBytes } from "./workspace.js";

/** Where the memory of a run goes, in bytes. */
export interface MemoryEstimate {
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  /** Hidden states between layers and gradients by them. */
  readonly activations: number;
  /** What forward passes keep for backward passes. */
  readonly residuals: number;
  /** Intermediate values inside programs. */
  readonly workspace: number;
  /** Node.js, ONNX Runtime and compiled programs. */
  readonly runtime: number;
  readonly total: number;
}

/** Node.js with ONNX Runtime loaded and a plan's programs compiled: measured resident size. */
const RUNTIME_BYTES = 185 * 2 ** 20;

/**
 * What the runtime's arena holds beside the live values of a layer's programs: freed stretches that fit nothing later.
 * Measured: a good twice them where a program computes a layer from its start, a third more where it starts from what was
 * kept.
 */
const ARENA = { fromStart: 2.2, fromKept: 1.3 };

export interface MemoryOptions {
  /** Bytes of the optimiser's states for a trained parameter of a shape. Default: AdamW's, twice the parameter. */
  readonly stateBytes?: (shape: readonly number[]) => number;
  /** What the process holds beside the plan. Default: Node.js with ONNX Runtime and nothing else, 185 MB. */
  readonly processBytes?: number;
  /** Tensors leave RAM between the programs that use them (`Runtime.paging`). Default false. */
  readonly paging?: boolean;
  /** Bytes that an update of a parameter of a shape uses at once; read where tensors are paged. Default: all of its tensors. */
  readonly updateBytes?: (shape: readonly number[]) => number;
}

const adamwBytes = (shape: readonly number[]): number => 2 * byteSize("float32", shape);

/** Adds up a training plan's memory. Nothing is allocated. */
export function estimateMemory(
  description: TrainDescription,
  { stateBytes = adamwBytes, processBytes = RUNTIME_BYTES, paging = false, updateBytes }: MemoryOptions = {},
): MemoryEstimate {
  const { model, options, layers } = description;
  const around = { workspace: arenaBytes(description), runtime: processBytes };
  const wholeUpdate = (shape: readonly number[]): number => 2 * byteSize("float32", shape) + stateBytes(shape);
  if (paging) return totalled({ ...largestResident(description, updateBytes ?? wholeUpdate), ...around });
  const specs = parameterSpecs(model);
  const trained = specs.filter(({ name }) => options.isTrainable(name));
  const parts = {
    weights: specs.reduce((sum, { name, shape }) => sum + storedBytes(shape, options.frozen?.get(name)), 0),
    gradients: gradientBytes(description, trained),
    optimizer: trained.reduce((sum, { shape }) => sum + stateBytes(shape), 0),
    activations: hiddenBytes(description),
    residuals: layers.reduce((sum, layer) => sum + residualBytes(layer), 0),
    ...around,
  };
  return totalled(parts);
}

/** Adds up the memory of a loss plan: evaluation, and training by forward passes alone. */
export function estimateForward(
  model: LanguageModel,
  options: LossPlanOptions & Pick<TrainPlanOptions, "frozen">,
  { processBytes = RUNTIME_BYTES }: Pick<MemoryOptions, "processBytes"> = {},
): MemoryEstimate {
  const { batchSize, time, lossTile, frozen } = options;
  const layers = new Map<string, number>();
  for (const { kind, prefix } of model.layers) {
    const locals = model.kinds[kind]!.parameters.map(({ name }) => name);
    const packed = frozenLocals(locals, prefix, frozen);
    const key = `${kind} ${Object.entries(packed)}`;
    if (!layers.has(key))
      layers.set(key, workspaceBytes(readLate(layerGraph(model, kind, options, "evaluate", packed))));
  }
  const dims = { rows: Math.min(lossTile.rows, batchSize * time), tokens: lossTile.vocabulary };
  const head = lossTile.vocabulary < model.vocabSize ? vocabularyGraphs(model, []).scan : lossGraph(model);
  return totalled({
    weights: parameterSpecs(model).reduce((sum, { name, shape }) => sum + storedBytes(shape, frozen?.get(name)), 0),
    gradients: 0,
    optimizer: 0,
    activations: 2 * byteSize("float32", [batchSize, time, model.hiddenSize]),
    residuals: 0,
    workspace: ARENA.fromStart * Math.max(...layers.values()) + workspaceBytes(head, dims),
    runtime: processBytes,
  });
}

const totalled = (parts: Omit<MemoryEstimate, "total">): MemoryEstimate => ({
  ...parts,
  total: Object.values(parts).reduce((a, b) => a + b, 0),
});

type Resident = Omit<MemoryEstimate, "workspace" | "runtime" | "total">;

/** What programs hold of tensors that leave RAM after each: the most that a layer, the head or an update needs. */
function largestResident(description: TrainDescription, updateBytes: (shape: readonly number[]) => number): Resident {
  const { model, options, layers, headTrainable } = description;
  const shapes = new Map(parameterSpecs(model).map(({ name, shape }) => [name, shape]));
  const total = (names: Iterable<string>, bytesOf: (name: string) => number): number =>
    [...names].reduce((sum, name) => sum + bytesOf(name), 0);
  const stored = (name: string): number => storedBytes(shapes.get(name)!, options.frozen?.get(name));
  const dense = (name: string): number => byteSize("float32", shapes.get(name)!);
  const hidden = (count: number): number => residentBytes(description, count);
  const ofLayers = layers.map((layer, i): Resident => {
    const { kind, prefix } = model.layers[i]!;
    const names = model.kinds[kind]!.parameters.map(({ name }) => prefix + name);
    const trained = layer.trainable.map((name) => prefix + name);
    const residuals = residualBytes(layer);
    return {
      weights: total(names, stored),
      gradients: total(trained, dense),
      optimizer: 0,
      activations: hidden(4),
      residuals,
    };
  });
  const head = new Set([...model.head.parameters.map(({ name }) => name), model.head.weight.name]);
  const tile = Math.min(1, options.lossTile.vocabulary / model.vocabSize);
  const ofHead: Resident = {
    weights: tile * total(head, stored),
    gradients: tile * total(headTrainable, dense),
    optimizer: 0,
    activations: hidden(3),
    residuals: 0,
  };
  const trained = [...shapes.keys()].filter(options.isTrainable);
  const ofUpdates = trained.map((name): Resident => {
    // its length is taken of a whole gradient
    const gradients = dense(name);
    const optimizer = Math.max(0, updateBytes(shapes.get(name)!) - gradients);
    return { weights: 0, gradients, optimizer, activations: hidden(2), residuals: 0 };
  });
  const bytesOf = (parts: Resident): number => Object.values(parts).reduce((a, b) => a + b, 0);
  return [...ofLayers, ofHead, ...ofUpdates].reduce((most, parts) => (bytesOf(parts) > bytesOf(most) ? parts : most));
}

function gradientBytes(description: TrainDescription, trained: readonly ParameterSpec[]): number {
  if (description.options.streamGradients) return byteSize("float32", [gradientLayout(description).length]);
  return trained.reduce((sum, { shape }) => sum + byteSize("float32", shape), 0);
}

function residualBytes({ residuals }: LayerGraphs): number {
  return Object.values(residuals).reduce((sum, { dtype, shape }) => sum + byteSize(dtype, evaluateShape(shape, {})), 0);
}

/** The arena of a training step: stretches of the largest layer, and beside them those of the head, which are of other sizes. */
function arenaBytes({ model, options, layers, headTrainable, selected }: TrainDescription): number {
  // packed weights are unpacked in between, which parts the arena as a recomputed layer does
  const isBroken = options.save === "inputs" || (options.frozen !== undefined && options.frozen.size > 0);
  const backwardFactor = isBroken ? ARENA.fromStart : ARENA.fromKept;
  const ofGraph = new Map<Graph, number>();
  for (const { forward, backward, accumulate } of layers) {
    const last = accumulate ?? backward;
    if (!ofGraph.has(forward)) ofGraph.set(forward, ARENA.fromStart * workspaceBytes(forward));
    if (last && !ofGraph.has(last)) ofGraph.set(last, backwardFactor * workspaceBytes(last));
  }
  const { rows, vocabulary } = options.lossTile;
  const head =
    vocabulary < model.vocabSize
      ? vocabularyGraphs(model, headTrainable).gradientAccumulate
      : lossGradientGraph(model, headTrainable, true);
  const dims = { rows: Math.min(rows, options.batchSize * (selected ?? options.time)), tokens: vocabulary };
  return Math.max(...ofGraph.values()) + workspaceBytes(storedAs(head, options.precision ?? "float32"), dims);
}
