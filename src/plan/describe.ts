/** @file What a training plan decides before anything is allocated or compiled: its graphs, layer by layer. */

import { ConfigError } from "../base/errors.js";
import type { FrozenWeights } from "../compress/index.js";
import { trimmed } from "../graph/differentiate.js";
import { add, differentiate, type Graph, input, readLate, type SavePolicy, type Tensor } from "../graph/index.js";
import { type LanguageModel, layerSpecs, linearShape } from "../nn/index.js";
import { type FrozenLocals, layerGraph, type SequenceShape } from "./layer-graph.js";
import type { LossTile } from "./loss-head.js";
import { type Precision, storedAs } from "./precision.js";
import { selectedLayerGraph, WHOLE_Y } from "./selected-layer.js";

export interface TrainPlanOptions extends SequenceShape {
  readonly save: SavePolicy;
  readonly lossTile: LossTile;
  readonly isTrainable: (name: string) => boolean;
  /**
   * Gradients are handed over layer by layer as the backward pass goes, and share their memory: it is that of one layer's
   * gradients, or of the largest tensor's, instead of all (LOMO's order of work, Lv et al. 2023, arXiv:2306.09782).
   * Rules out accumulation over micro-batches; clipping by the global norm takes a second backward pass.
   */
  readonly streamGradients: boolean;
  /**
   * Share of each sequence's positions that are differentiated and counted in the loss, above 0; each batch says which
   * (`MicroBatch.selected`). The others enter attention as constants (TokenTune, arXiv:2501.18824). Default 1: all.
   */
  readonly selectedTokens?: number;
  /** How hidden states and residuals lie between programs, rounded to it; computation stays float32. Default float32. */
  readonly precision?: Precision;
  /** Frozen weights that the parameters hold in packed form (`frozenWeights`, `packFrozen`). Default none. */
  readonly frozen?: FrozenWeights;
}

/** The graphs of a layer; layers with equal graphs share one object. */
export interface LayerGraphs {
  /** Local names of the parameters that get gradients. */
  readonly trainable: readonly string[];
  readonly forward: Graph;
  /** What passes from forward to backward, by name. */
  readonly residuals: Readonly<Record<string, Tensor>>;
  /** Absent where nothing at or below the layer is trained. */
  readonly backward: Graph | undefined;
  /** The backward graph that adds to the gradients of parameters in `sum_<parameter>`. */
  readonly accumulate: Graph | undefined;
}

export interface TrainDescription {
  readonly model: LanguageModel;
  readonly options: TrainPlanOptions;
  /** Graphs of each layer, by its index. */
  readonly layers: readonly LayerGraphs[];
  /** Names of the head's parameters that get gradients. */
  readonly headTrainable: readonly string[];
  /** Positions of each sequence that are differentiated, where not all are. */
  readonly selected: number | undefined;
}

/**
 * Positions of each sequence that are differentiated; undefined where all are.
 * @throws ConfigError for a share that is not above 0 and at most 1.
 */
export function numSelected({ selectedTokens = 1, time }: Pick<TrainPlanOptions, "selectedTokens" | "time">) {
  if (!(selectedTokens > 0 && selectedTokens <= 1))
    throw new ConfigError(
      `selectedTokens is a share of the positions: expected above 0 and at most 1, got ${selectedTokens}`,
    );
  const count = Math.max(1, Math.round(selectedTokens * time));
  return count < time ? count : undefined;
}

/**
 * Derives all graphs of a training plan. Layers below the lowest trainable parameter get no backward pass.
 * @throws ConfigError when a weight that is to be packed is trained, or is no linear map of a layer.
 */
export function describeTraining(model: LanguageModel, options: TrainPlanOptions): TrainDescription {
  checkFrozen(model, options);
  const selected = numSelected(options);
  const known = new Map<string, LayerGraphs>();
  let isTrainedBelow = options.isTrainable(model.embedding.name);
  const layers = model.layers.map(({ kind, prefix }) => {
    const locals = model.kinds[kind]!.parameters.map((spec) => spec.name);
    const trainable = locals.filter((name) => options.isTrainable(prefix + name));
    const wrt = isTrainedBelow ? ["x", ...trainable] : trainable;
    isTrainedBelow ||= trainable.length > 0;
    const frozen = frozenLocals(locals, prefix, options.frozen);
    const key = `${kind} ${wrt} ${Object.entries(frozen)}`;
    const build = (): Graph =>
      selected === undefined
        ? layerGraph(model, kind, options, "train", frozen)
        : selectedLayerGraph(model, kind, options, selected, frozen);
    const graphs = known.get(key) ?? layerGraphs(build(), wrt, trainable, options);
    known.set(key, graphs);
    return graphs;
  });
  const headTrainable = [...model.head.parameters, model.head.weight]
    .map((spec) => spec.name)
    .filter((name) => options.isTrainable(name));
  return { model, options, layers, headTrainable, selected };
}

/** Formats of a layer's packed weights, by local name. */
export function frozenLocals(
  locals: readonly string[],
  prefix: string,
  frozen: FrozenWeights = new Map(),
): FrozenLocals {
  const found = locals.flatMap((name) => {
    const format = frozen.get(prefix + name);
    return format ? [[name, format] as const] : [];
  });
  return Object.fromEntries(found);
}

function checkFrozen(model: LanguageModel, { frozen = new Map(), isTrainable }: TrainPlanOptions): void {
  const matrices = new Set(layerSpecs(model).flatMap((spec) => (linearShape(spec) ? [spec.name] : [])));
  for (const name of frozen.keys()) {
    if (isTrainable(name)) throw new ConfigError(`frozen weights: "${name}" is trained; only others may be packed`);
    if (!matrices.has(name))
      throw new ConfigError(`frozen weights: "${name}" is no matrix of a linear map in a layer; only those are packed`);
  }
}

function layerGraphs(
  graph: Graph,
  wrt: readonly string[],
  trainable: readonly string[],
  { save, streamGradients, precision = "float32" }: TrainPlanOptions,
): LayerGraphs {
  const { [WHOLE_Y]: whole, ...outputs } = graph.outputs;
  const passes = differentiate({ ...graph, outputs }, { wrt, save });
  // of selected positions nothing is computed in the forward pass but what the backward pass reads
  const all = whole
    ? trimmed({ ...passes.forward, inputs: graph.inputs, outputs: { ...passes.residuals, [WHOLE_Y]: whole } })
    : passes.forward;
  const stored = (pass: Graph): Graph => readLate(storedAs(pass, precision));
  const [forward, backward] = [stored(all), stored(passes.backward)];
  const residuals = Object.fromEntries(Object.keys(passes.residuals).map((name) => [name, forward.outputs[name]!]));
  if (wrt.length === 0) return { trainable, forward, residuals, backward: undefined, accumulate: undefined };
  return {
    trainable,
    forward,
    residuals,
    backward,
    accumulate: streamGradients ? undefined : accumulating(backward, trainable),
  };
}

/** The backward graph with `sum_<parameter>` added to the gradient of each parameter. */
function accumulating(backward: Graph, trainable: readonly string[]): Graph {
  const inputs = { ...backward.inputs };
  const outputs = { ...backward.outputs };
  for (const name of trainable) {
    const gradient = backward.outputs[`d_${name}`]!;
    const sum = input(`sum_${name}`, gradient.dtype, gradient.shape);
    inputs[`sum_${name}`] = sum;
    outputs[`d_${name}`] = add(gradient, sum);
  }
  return { name: `${backward.name}.accumulate`, inputs, outputs };
}
