/** @file Loss of a model on batches, forward only: what evaluation runs. */

import { type HostTensor, zeros } from "../base/host-tensor.js";
import { readLate } from "../graph/index.js";
import type { LanguageModel, Parameters } from "../nn/index.js";
import type { Binding, Runtime } from "../runtime/index.js";
import { bindNamed } from "./bind-named.js";
import { layerGraph, type SequenceShape } from "./layer-graph.js";
import { createLossHead, type LossHead, type LossTile } from "./loss-head.js";
import { lookUp, type MicroBatch, SequenceFeeds } from "./sequence-feeds.js";
import { localFormats, localParameters } from "./train-plan.js";

export interface LossPlanOptions extends SequenceShape {
  readonly lossTile: LossTile;
}

/** A model's loss, allocated and compiled. Two buffers of hidden states serve all layers. */
export class LossPlan {
  readonly #runtime: Runtime;
  readonly #model: LanguageModel;
  readonly #table: HostTensor;
  readonly #feeds: SequenceFeeds;
  readonly #embedded: HostTensor;
  readonly #layers: readonly Binding[];
  readonly #head: LossHead;

  private constructor(
    runtime: Runtime,
    model: LanguageModel,
    table: HostTensor,
    feeds: SequenceFeeds,
    embedded: HostTensor,
    layers: readonly Binding[],
    head: LossHead,
  ) {
    this.#runtime = runtime;
    this.#model = model;
    this.#table = table;
    this.#feeds = feeds;
    this.#embedded = embedded;
    this.#layers = layers;
    this.#head = head;
  }

  static async create(
    runtime: Runtime,
    model: LanguageModel,
    options: LossPlanOptions,
    parameters: Parameters,
  ): Promise<LossPlan> {
    const { batchSize, time, lossTile } = options;
    const feeds = new SequenceFeeds(model, options);
    const swapping = [0, 1].map(() => zeros("float32", [batchSize, time, model.hiddenSize]));
    const layers: Binding[] = [];
    for (const [i, layer] of model.layers.entries()) {
      const program = await runtime.compile(
        readLate(layerGraph(model, layer.kind, options, "evaluate", localFormats(model, layer, parameters))),
      );
      const values = { x: swapping[i % 2]!, y: swapping[(i + 1) % 2]! };
      layers.push(bindNamed(program, { ...values, ...feeds.ofLayer(i), ...localParameters(model, layer, parameters) }));
    }
    const x = swapping[model.layers.length % 2]!;
    const head = await createLossHead(runtime, model, lossTile, { x, parameters, feeds });
    return new LossPlan(runtime, model, parameters.get(model.embedding.name)!, feeds, swapping[0]!, layers, head);
  }

  /** Σ weights · loss over a batch. */
  async run(batch: MicroBatch): Promise<number> {
    this.#feeds.set(batch);
    lookUp(this.#model, this.#table, batch.ids, this.#embedded);
    this.#runtime.evict([this.#table]);
    for (const layer of this.#layers) await layer.run();
    return this.#head.loss();
  }

  close(): void {
    for (const layer of this.#layers) layer.release();
    this.#head.close();
  }
}
