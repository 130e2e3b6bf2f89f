/** @file A model's forward and backward pass as part of one graph: the graphs of layers and head put together. */

import { ConfigError } from "../base/errors.js";
import {
  add,
  after,
  concat,
  div,
  gather,
  greater,
  inline,
  reduceSum,
  reshape,
  scalar,
  scatterAdd,
  type Tensor,
  where,
} from "../graph/index.js";
import type { LayerGraphs, TrainDescription } from "./describe.js";
import { lossGradientGraph } from "./loss-graphs.js";
import { layerReads, picked, rowTiles, type Tensors } from "./whole-loss.js";

/** Loss and gradients of it by parameter name. */
export interface WholeGradient {
  readonly loss: Tensor;
  /** Without those of trainable parameters that the loss does not depend on. */
  readonly gradients: ReadonlyMap<string, Tensor>;
}

/**
 * The mean loss over positions by `weights`, and its gradients, from tensors by name: `ids`, `labels`, `weights`,
 * `positions`, with `segments` where packed, [batch, time] each; `seeds` [layers] where the model has dropout; and every
 * parameter. The loss goes by tiles of `lossTile.rows`, each over the whole vocabulary.
 * @throws ConfigError for a description of selected tokens.
 */
export function wholeGradient(description: TrainDescription, inputs: Tensors): WholeGradient {
  return new Builder(description, inputs).build();
}

class Builder {
  readonly #gradients = new Map<string, Tensor>();
  readonly #readsOf: (index: number) => Tensors;

  constructor(
    readonly description: TrainDescription,
    readonly inputs: Tensors,
  ) {
    const { model, options, selected } = description;
    if (selected !== undefined)
      throw new ConfigError("a step as one graph differentiates all positions; leave out selectedTokens");
    this.#readsOf = layerReads(model, options.time, inputs);
  }

  build(): WholeGradient {
    const { model, layers, options } = this.description;
    const table = model.embedding;
    let x = gather(this.inputs[table.name]!, this.inputs.ids!);
    const count = options.batchSize * options.time;
    if (model.embeddingReading) {
      x = reshape(model.embeddingReading.tensor(reshape(x, [count, model.hiddenSize])), x.shape);
    }
    const passed = layers.map((graphs, i) => {
      const read = { ...this.#readsOf(i), x };
      const { y, ...residuals } = inline(graphs.forward, picked(graphs.forward, read));
      x = y!;
      return { graphs, read: { ...read, ...residuals } };
    });
    const { loss, dx: ofLast } = this.#head(x);
    let dx: Tensor | undefined = ofLast;
    for (const [i, { graphs, read }] of [...passed.entries()].reverse()) dx = this.#backward(i, graphs, read, dx);
    if (dx && options.isTrainable(table.name)) {
      const rows = reshape(dx, [count, model.hiddenSize]);
      this.#collect(table.name, scatterAdd(rows, reshape(this.inputs.ids!, [count]), table.shape[0]!));
    }
    return { loss, gradients: this.#gradients };
  }

  /** The gradient by a layer's input; undefined where nothing below it is trained. */
  #backward(
    index: number,
    { backward, trainable }: LayerGraphs,
    values: Tensors,
    dy: Tensor | undefined,
  ): Tensor | undefined {
    if (!backward || !dy) return undefined;
    const { model, options } = this.description;
    // what only exists once the gradient does cannot be taken from the forward pass, so that nothing more is kept
    const isLate = (name: string): boolean => options.save !== "all" && (name === "x" || name.startsWith("residual."));
    const late = Object.entries(values).map(([name, value]) => [name, isLate(name) ? after(value, [dy]) : value]);
    const results = inline(backward, picked(backward, { ...Object.fromEntries(late), d_y: dy }));
    for (const name of trainable) this.#collect(model.layers[index]!.prefix + name, results[`d_${name}`]);
    return results.d_x;
  }

  /** Loss and gradient by the last layer's output, one tile's logits at a time. */
  #head(y: Tensor): { readonly loss: Tensor; readonly dx: Tensor } {
    const { model, options, headTrainable } = this.description;
    const { rows } = options.lossTile;
    const count = options.batchSize * options.time;
    const flat = reshape(y, [count, model.hiddenSize]);
    const labels = reshape(this.inputs.labels!, [count]);
    const weights = reshape(this.#shares(), [count]);
    const parts: Tensor[] = [];
    let loss: Tensor | undefined;
    let sums: Tensors = {};
    for (const { start, numRows, tile } of rowTiles(count, rows)) {
      const tileGraph = lossGradientGraph(model, headTrainable, start > 0, numRows);
      const given = { ...this.inputs, ...sums, labels: tile(labels), weights: tile(weights) };
      const results = inline(tileGraph, picked(tileGraph, { ...given, x: after(tile(flat), parts.slice(-1)) }));
      parts.push(results.d_x!);
      loss = loss ? add(loss, results.loss!) : results.loss!;
      sums = Object.fromEntries(headTrainable.map((name) => [`sum_${name}`, results[`d_${name}`]!]));
    }
    for (const name of headTrainable) this.#collect(name, sums[`sum_${name}`]);
    return { loss: loss!, dx: reshape(concat(parts, 0), y.shape) };
  }

  /** Weights that add up to 1. */
  #shares(): Tensor {
    const weights = this.inputs.weights!;
    const sum = reduceSum(weights, [0, 1]);
    // without targets loss and gradients are 0, not 0 / 0
    return div(weights, where(greater(sum, 0), sum, scalar(1)));
  }

  /** A tied parameter gets more than one part. */
  #collect(name: string, gradient: Tensor | undefined): void {
    if (!gradient) return;
    const known = this.#gradients.get(name);
    this.#gradients.set(name, known ? add(known, gradient) : gradient);
  }
}
