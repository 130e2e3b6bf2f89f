/** @file Floating-point operations of a training step, counted from its graphs. */

import { type DimBindings, evaluateShape, type Graph } from "../graph/index.js";
import { topologicalOrder } from "../graph/tensor.js";
import type { TrainDescription } from "./describe.js";
import { lossGradientGraph, vocabularyGraphs } from "./loss-graphs.js";

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
export function trainingFlops({ model, options, layers, headTrainable }: TrainDescription): number {
  const known = new Map<Graph, number>();
  const flops = (graph: Graph | undefined): number => {
    if (!graph) return 0;
    const count = known.get(graph) ?? graphFlops(graph);
    known.set(graph, count);
    return count;
  };
  const ofLayers = layers.reduce((sum, { forward, backward }) => sum + flops(forward) + flops(backward), 0);
  const { rows, vocabulary } = options.lossTile;
  const count = options.batchSize * options.time;
  const dims = { rows: Math.min(rows, count) };
  const numRowTiles = count / dims.rows;
  if (vocabulary >= model.vocabSize) {
    return ofLayers + numRowTiles * graphFlops(lossGradientGraph(model, headTrainable, false), dims);
  }
  const { scan, gradient } = vocabularyGraphs(model, headTrainable);
  const perTile = [scan, gradient].reduce((sum, graph) => sum + graphFlops(graph, { ...dims, tokens: vocabulary }), 0);
  return ofLayers + numRowTiles * (model.vocabSize / vocabulary) * perTile;
}
