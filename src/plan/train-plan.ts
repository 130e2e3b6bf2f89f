/** @file Forward and backward over a whole model: one program per kind of layer, run once per layer and tile. */

import { TrainingError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { storedFormat, storedParts } from "../compress/index.js";
import { evaluateShape, type Graph } from "../graph/index.js";
import { type LanguageModel, type Layer, type Parameters, parameterSpecs } from "../nn/index.js";
import type { Binding, Feeds, Runtime } from "../runtime/index.js";
import { bindNamed } from "./bind-named.js";
import type { TrainDescription } from "./describe.js";
import { allocateGradients, gradientLayout } from "./gradient-layout.js";
import { HiddenStates } from "./hidden-states.js";
import type { FrozenLocals } from "./layer-graph.js";
import { createLossHead, type LossHead } from "./loss-head.js";
import { lookUp, type MicroBatch, SequenceFeeds, scatterRows } from "./sequence-feeds.js";

/** Called with gradients by parameter name once they are complete. */
export type GradientSink = (gradients: ReadonlyMap<string, HostTensor>) => Promise<void>;

/** A layer's runs over fixed buffers. */
interface LayerRuns {
  readonly forward: Binding;
  readonly backward: Binding | undefined;
  /** Adds to the gradients that are there. */
  readonly accumulate: Binding | undefined;
  readonly gradients: ReadonlyMap<string, HostTensor>;
}

interface PlanParts {
  readonly runtime: Runtime;
  readonly model: LanguageModel;
  /** The embedding table. */
  readonly table: HostTensor;
  readonly feeds: SequenceFeeds;
  readonly hidden: HiddenStates;
  readonly layers: readonly LayerRuns[];
  readonly head: LossHead;
  readonly headGradients: ReadonlyMap<string, HostTensor>;
  readonly gradients: ReadonlyMap<string, HostTensor>;
}

export interface RunOptions {
  /** Add to the gradients that are there instead of replacing them. */
  readonly accumulate: boolean;
  /** Given gradients as soon as all parts of this micro-batch are in. */
  readonly sink?: GradientSink;
  /** Run the forward pass. Default true; false takes the values of the last run, of the same batch and weights. */
  readonly repeatsForward?: boolean;
}

/** A model's training step, allocated and compiled. */
export class TrainPlan {
  readonly #parts: PlanParts;

  private constructor(parts: PlanParts) {
    this.#parts = parts;
  }

  /** Allocates the buffers, compiles the programs and binds both. The parameters' memory is used as it is. */
  static async create(runtime: Runtime, description: TrainDescription, parameters: Parameters): Promise<TrainPlan> {
    return new TrainPlan(await new PlanBuilder(runtime, description, parameters).build());
  }

  /** Gradients by parameter name. Streamed ones share memory: they are what they are in the sink alone. */
  get gradients(): ReadonlyMap<string, HostTensor> {
    return this.#parts.gradients;
  }

  /**
   * Forward and backward over one micro-batch. Returns Σ weights · loss.
   * @throws TrainingError when the loss is not a number, before any gradient is handed over.
   */
  async run(
    batch: MicroBatch,
    { accumulate, sink = async () => {}, repeatsForward = true }: RunOptions,
  ): Promise<number> {
    const { model, layers, hidden, head, headGradients, gradients } = this.#parts;
    const { ids, selected } = batch;
    if (repeatsForward) await this.#forward(batch);
    else if (selected) hidden.selectAgain(layers.length, selected);
    const loss = await head.lossAndGradient(accumulate);
    // before the first gradient is used: parameters must not be spoiled by it
    if (!Number.isFinite(loss)) throw new TrainingError(`the loss is ${loss}`);
    const name = model.embedding.name;
    await sink(new Map([...headGradients].filter(([key]) => key !== name)));
    for (const [i, layer] of [...layers.entries()].reverse()) {
      if (selected) hidden.selectAgain(i, selected);
      await (accumulate ? layer.accumulate : layer.backward)?.run();
      if (layer.gradients.size > 0) await sink(layer.gradients);
    }
    const gradient = gradients.get(name);
    if (gradient) {
      // a tied table already holds the head's part
      if (!headGradients.has(name) && !accumulate) (gradient.data as Float32Array).fill(0);
      scatterRows(hidden.gradientAt(0), selected ? selected.map((row) => ids[row]!) : ids, gradient);
      await sink(new Map([[name, gradient]]));
    }
    return loss;
  }

  async #forward(batch: MicroBatch): Promise<void> {
    const { runtime, model, table, feeds, hidden, layers } = this.#parts;
    feeds.set(batch);
    lookUp(model, table, batch.ids, hidden.embedded);
    runtime.evict([table]);
    for (const [i, { forward }] of layers.entries()) {
      if (batch.selected) hidden.select(i, batch.selected);
      await forward.run();
    }
    if (batch.selected) hidden.select(layers.length, batch.selected);
  }

  /** Frees the bindings; programs belong to the runtime. */
  close(): void {
    for (const { forward, backward, accumulate } of this.#parts.layers) {
      for (const binding of [forward, backward, accumulate]) binding?.release();
    }
    this.#parts.head.close();
  }
}

/** Allocates, compiles and binds. */
class PlanBuilder {
  readonly #runtime: Runtime;
  readonly #description: TrainDescription;
  readonly #parameters: Parameters;
  readonly #feeds: SequenceFeeds;
  readonly #gradients: ReadonlyMap<string, HostTensor>;

  constructor(runtime: Runtime, description: TrainDescription, parameters: Parameters) {
    this.#runtime = runtime;
    this.#description = description;
    this.#parameters = parameters;
    this.#feeds = new SequenceFeeds(description.model, description.options, description.selected);
    this.#gradients = description.options.streamGradients
      ? allocateGradients(runtime, gradientLayout(description))
      : ownGradients(runtime, description);
  }

  async build(): Promise<PlanParts> {
    const { model, options, headTrainable } = this.#description;
    const hidden = new HiddenStates(this.#runtime, this.#description);
    const headGradients = new Map(headTrainable.map((name) => [name, this.#gradients.get(name)!]));
    const layers: LayerRuns[] = [];
    for (const i of model.layers.keys()) layers.push(await this.#layer(i, hidden.ofLayer(i)));
    return {
      runtime: this.#runtime,
      model,
      table: this.#parameters.get(model.embedding.name)!,
      feeds: this.#feeds,
      hidden,
      layers,
      head: await createLossHead(this.#runtime, model, options.lossTile, {
        x: hidden.last,
        parameters: this.#parameters,
        feeds: this.#feeds,
        gradients: { x: hidden.gradientAt(model.layers.length), parameters: headGradients },
      }),
      headGradients,
      gradients: this.#gradients,
    };
  }

  /** `values` holds hidden states and their gradients. */
  async #layer(index: number, values: Feeds): Promise<LayerRuns> {
    const layer = this.#description.model.layers[index]!;
    const { trainable, forward, backward, accumulate, residuals } = this.#description.layers[index]!;
    const kept = Object.fromEntries(
      Object.entries(residuals).map(([name, { dtype, shape }]) => [
        name,
        this.#runtime.zeros(dtype, evaluateShape(shape, {})),
      ]),
    );
    const gradients = new Map(trainable.map((name) => [name, this.#gradients.get(layer.prefix + name)!]));
    const all: Feeds = {
      ...values,
      ...this.#feeds.ofLayer(index),
      ...localParameters(this.#description.model, layer, this.#parameters),
      ...kept,
      ...prefixed("d_", gradients),
      ...prefixed("sum_", gradients),
    };
    const bind = async (graph: Graph): Promise<Binding> => bindNamed(await this.#runtime.compile(graph), all);
    return {
      gradients: new Map([...gradients].map(([name, gradient]) => [layer.prefix + name, gradient])),
      forward: await bind(forward),
      backward: backward && (await bind(backward)),
      accumulate: accumulate && (await bind(accumulate)),
    };
  }
}

/** A buffer for each gradient. */
function ownGradients(runtime: Runtime, { model, options }: TrainDescription): Map<string, HostTensor> {
  const trained = parameterSpecs(model).filter(({ name }) => options.isTrainable(name));
  return new Map(trained.map(({ name, shape }) => [name, runtime.zeros("float32", shape)]));
}

/** A layer's parameters by local name, packed ones in their parts. */
export function localParameters(model: LanguageModel, { kind, prefix }: Layer, parameters: Parameters): Feeds {
  const found = model.kinds[kind]!.parameters.flatMap(({ name }) => {
    const parts = storedParts(parameters, prefix + name) ?? { "": parameters.get(prefix + name)! };
    return Object.entries(parts).map(([suffix, part]) => [name + suffix, part] as const);
  });
  return Object.fromEntries(found);
}

/** Forms in which a layer's weights are stored, by local name. */
export function localFormats(model: LanguageModel, { kind, prefix }: Layer, parameters: Parameters): FrozenLocals {
  const found = model.kinds[kind]!.parameters.flatMap(({ name }) => {
    const format = storedFormat(parameters.get(prefix + name)?.dtype ?? "float32");
    return format ? [[name, format.name] as const] : [];
  });
  return Object.fromEntries(found);
}

function prefixed(prefix: string, tensors: ReadonlyMap<string, HostTensor>): Feeds {
  return Object.fromEntries([...tensors].map(([name, tensor]) => [prefix + name, tensor]));
}
