/** @file Floating-point operations of a training step, counted from its graphs. */

import { type DimBindings, evaluateShape, type Graph } from "../graph/index.js";
import { topologicalOrder } from "../graph/tensor.js";
import type { TrainDescription } from "./describe.js";
import { lossGradientGraph, lossGraph, vocabularyGraphs } from "./loss-graphs.js";

/**
 * Operations of matrix products and of whatever else counts its own, a multiplication and an addition as two. What stands
 * for a composition is counted by what it is composed of.
 */
export function graphFlops(graph: Graph, dims: DimBindings = {}): number {
  const nodes = topologicalOrder(Object.values(graph.outputs), new Set(Object.values(graph.inputs)));
  let sum = 0;
  for (const { op, inputs, attrs, outputs } of nodes) {
    if (op.name === "custom" || !op.flopsPerElement) continue;
    const perElement = op.flopsPerElement(inputs, attrs);
    // rows that only a run decides: not counted
    if (!Number.isFinite(perElement)) continue;
    sum += perElement * elements(evaluateShape(outputs[0]!.shape, dims));
  }
  return sum;
}

const elements = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

/** Operations of one micro-batch, forward and backward, recomputation included. The optimiser's are not counted. */
export function trainingFlops(description: TrainDescription): number {
  const { model, options, headTrainable } = description;
  if (options.lossTile.vocabulary >= model.vocabSize)
    return layerFlops(description, true) + headFlops(description, [lossGradientGraph(model, headTrainable, false)]);
  const { scan, gradient } = vocabularyGraphs(model, headTrainable);
  return layerFlops(description, true) + headFlops(description, [scan, gradient]);
}

/** Operations of the loss of one micro-batch. */
export function forwardFlops(description: TrainDescription): number {
  const { model, options } = description;
  const isWhole = options.lossTile.vocabulary >= model.vocabSize;
  const head = isWhole ? lossGraph(model) : vocabularyGraphs(model, []).scan;
  return layerFlops(description, false) + headFlops(description, [head]);
}

function layerFlops({ layers }: TrainDescription, isBackwardToo: boolean): number {
  const known = new Map<Graph, number>();
  const flops = (graph: Graph | undefined): number => {
    if (!graph) return 0;
    const count = known.get(graph) ?? graphFlops(graph);
    known.set(graph, count);
    return count;
  };
  return layers.reduce((sum, { forward, backward }) => sum + flops(forward) + (isBackwardToo ? flops(backward) : 0), 0);
}

/** Operations of graphs that run over every tile of rows and of the vocabulary. */
function headFlops({ model, options, selected = options.time }: TrainDescription, graphs: readonly Graph[]): number {
  const { rows, vocabulary } = options.lossTile;
  const count = options.batchSize * selected;
  const dims = { rows: Math.min(rows, count), tokens: Math.min(vocabulary, model.vocabSize) };
  const numTiles = (count / dims.rows) * (model.vocabSize / dims.tokens);
  return numTiles * graphs.reduce((sum, graph) => sum + graphFlops(graph, dims), 0);
}
