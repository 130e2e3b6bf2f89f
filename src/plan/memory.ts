/** @file Peak memory of a training run, added up before it starts. */

import { byteSize } from "../base/host-tensor.js";
import { storedBytes } from "../compress/index.js";
import type { Graph } from "../graph/index.js";
import { evaluateShape, readLate } from "../graph/index.js";
import { type LanguageModel, type ParameterSpec, parameterSpecs } from "../nn/index.js";
import { frozenLocals, type LayerGraphs, type TrainDescription, type TrainPlanOptions } from "./describe.js";
import { gradientLayout } from "./gradient-layout.js";
import { layerGraph } from "./layer-graph.js";
import { lossGradientGraph, lossGraph, vocabularyGraphs } from "./loss-graphs.js";
import type { LossPlanOptions } from "./loss-plan.js";
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

/** Node.js with ONNX Runtime loaded and a handful of programs compiled: measured resident size. */
const RUNTIME_BYTES = 150 * 2 ** 20;

/**
 * The runtime's arena holds more than the live values: freed stretches that fit nothing later. Measured at 1.5 to 2.1
 * times the largest workspace of the plan's programs.
 */
const ARENA_FACTOR = 2.1;

export interface MemoryOptions {
  /** Bytes of the optimiser's states for a trained parameter of a shape. Default: AdamW's, twice the parameter. */
  readonly stateBytes?: (shape: readonly number[]) => number;
  /** What the process holds beside the plan. Default: Node.js with ONNX Runtime and nothing else, 150 MB. */
  readonly processBytes?: number;
}

const adamwBytes = (shape: readonly number[]): number => 2 * byteSize("float32", shape);

/** Adds up a training plan's memory. Nothing is allocated. */
export function estimateMemory(
  description: TrainDescription,
  { stateBytes = adamwBytes, processBytes = RUNTIME_BYTES }: MemoryOptions = {},
): MemoryEstimate {
  const { model, options, layers } = description;
  const specs = parameterSpecs(model);
  const trained = specs.filter(({ name }) => options.isTrainable(name));
  const hidden = byteSize("float32", [options.batchSize, options.time, model.hiddenSize]);
  const parts = {
    weights: specs.reduce((sum, { name, shape }) => sum + storedBytes(shape, options.frozen?.get(name)), 0),
    gradients: gradientBytes(description, trained),
    optimizer: trained.reduce((sum, { shape }) => sum + stateBytes(shape), 0),
    activations: (layers.length + 3) * hidden,
    residuals: layers.reduce((sum, layer) => sum + residualBytes(layer), 0),
    workspace: ARENA_FACTOR * largestWorkspace(description),
    runtime: processBytes,
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
    workspace: ARENA_FACTOR * Math.max(...layers.values(), workspaceBytes(head, dims)),
    runtime: processBytes,
  });
}

const totalled = (parts: Omit<MemoryEstimate, "total">): MemoryEstimate => ({
  ...parts,
  total: Object.values(parts).reduce((a, b) => a + b, 0),
});

function gradientBytes(description: TrainDescription, trained: readonly ParameterSpec[]): number {
  if (description.options.streamGradients) return byteSize("float32", [gradientLayout(description).length]);
  return trained.reduce((sum, { shape }) => sum + byteSize("float32", shape), 0);
}

function residualBytes({ residuals }: LayerGraphs): number {
  return Object.values(residuals).reduce((sum, { dtype, shape }) => sum + byteSize(dtype, evaluateShape(shape, {})), 0);
}

function largestWorkspace({ model, options, layers, headTrainable }: TrainDescription): number {
  const graphs = new Set<Graph>();
  for (const { forward, backward, accumulate } of layers) {
    for (const graph of [forward, accumulate ?? backward]) if (graph) graphs.add(graph);
  }
  const { rows, vocabulary } = options.lossTile;
  const head =
    vocabulary < model.vocabSize
      ? [vocabularyGraphs(model, headTrainable).gradientAccumulate]
      : [lossGradientGraph(model, headTrainable, true)];
  const dims = { rows: Math.min(rows, options.batchSize * options.time), tokens: vocabulary };
  return Math.max(
    ...[...graphs].map((graph) => workspaceBytes(graph)),
    ...head.map((graph) => workspaceBytes(graph, dims)),
  );
}
