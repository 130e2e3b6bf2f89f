/** @file A model's loss as part of one graph, and what the layers of such a graph read. */

import { add, constant, type Graph, gather, inline, reshape, slice, type Tensor } from "../graph/index.js";
import type { LanguageModel } from "../nn/index.js";
import { layerGraph, type SequenceShape, tableFeeds } from "./layer-graph.js";
import { lossGraph } from "./loss-graphs.js";

export type Tensors = Readonly<Record<string, Tensor>>;

/** What a layer's graphs read beside hidden states, by the names that they have there, from the tensors of the whole. */
export function layerReads(model: LanguageModel, time: number, inputs: Tensors): (index: number) => Tensors {
  const tables = Object.entries(tableFeeds(model, time)).map(([name, table]) => [name, constant(table)]);
  const { positions, segments, seeds } = inputs;
  const shared = { positions: positions!, ...(segments && { segments }), ...Object.fromEntries(tables) };
  return (index) => {
    const { kind, prefix } = model.layers[index]!;
    const local = model.kinds[kind]!.parameters.map(({ name }) => [name, inputs[prefix + name]!]);
    return {
      ...shared,
      ...(seeds && { seed: reshape(slice(seeds, 0, index, index + 1), []) }),
      ...Object.fromEntries(local),
    };
  };
}

/** The values that a graph reads. */
export function picked({ inputs }: Graph, values: Tensors): Tensors {
  return Object.fromEntries(
    Object.keys(inputs).flatMap((name) => (values[name] ? [[name, values[name]] as const] : [])),
  );
}

/** Row tiles of a batch's positions: `tile` cuts a tensor with one row per position. */
export function* rowTiles(
  count: number,
  rows: number,
): Generator<{ readonly start: number; readonly numRows: number; readonly tile: (tensor: Tensor) => Tensor }> {
  for (let start = 0; start < count; start += rows) {
    const end = Math.min(start + rows, count);
    const numRows = end - start;
    yield { start, numRows, tile: (tensor) => (numRows === count ? tensor : slice(tensor, 0, start, end)) };
  }
}

/**
 * Σ weights · loss, without dropout, from tensors by name: `ids`, `labels`, `weights`, `positions`, with `segments` where
 * packed, [batch, time] each, and every parameter. The loss goes by tiles of `lossRows`, each over the whole vocabulary.
 */
export function wholeLoss(
  model: LanguageModel,
  shape: SequenceShape & { readonly lossRows: number },
  inputs: Tensors,
): Tensor {
  const { batchSize, time, lossRows } = shape;
  const count = batchSize * time;
  const readsOf = layerReads(model, time, inputs);
  let x = gather(inputs[model.embedding.name]!, inputs.ids!);
  for (const [i, { kind }] of model.layers.entries()) {
    const layer = layerGraph(model, kind, shape, "evaluate");
    x = inline(layer, picked(layer, { ...readsOf(i), x })).y!;
  }
  const flat = reshape(x, [count, model.hiddenSize]);
  const [labels, weights] = [inputs.labels!, inputs.weights!].map((tensor) => reshape(tensor, [count]));
  const losses = [...rowTiles(count, lossRows)].map(({ numRows, tile }) => {
    const head = lossGraph(model, numRows);
    return inline(head, picked(head, { ...inputs, x: tile(flat), labels: tile(labels!), weights: tile(weights!) }))
      .loss!;
  });
  return losses.reduce((a, b) => add(a, b));
}
