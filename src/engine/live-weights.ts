/** @file Weights that a model is fed, as they are when it runs: for a model that is being trained. */

import type { HostTensor } from "../base/host-tensor.js";
import { frozenFormats, mapParts, storedFormat } from "../compress/index.js";
import type { Aval, Tensor } from "../graph/index.js";
import {
  type LanguageModel,
  type ParameterSpec,
  type Parameters,
  parameterSpecs,
  type Scope,
  scopeOf,
} from "../nn/index.js";
import type { Feeds } from "../runtime/index.js";

/** What a graph of generation has for weights. */
export interface StepWeights {
  /** What the graph is fed of them; nothing where they are constants. */
  readonly inputs: Readonly<Record<string, Aval>>;
  readonly feeds: Feeds;
  /** Bytes that a token reads. */
  readonly bytesPerToken: number;
  /** Copies the embeddings of `ids` to `out` [ids, D]. */
  embed(ids: ArrayLike<number>, out: Float32Array): void;
  /** A scope over the parameters with a prefix. `inputs` are the graph's. */
  scope(prefix: string, inputs: Readonly<Record<string, Tensor>>): Scope;
}

/** Parameters do not bear the names of a step's other inputs. */
const INPUT = "weight:";

/**
 * The parameters themselves, frozen ones in their packed form: nothing is copied, and what is written into them counts from
 * the next run on. Slower per token than `Weights`, whose matrices the runtime has laid out for itself.
 */
export class LiveWeights implements StepWeights {
  readonly inputs: Readonly<Record<string, Aval>>;
  readonly feeds: Feeds;
  readonly #specs: readonly ParameterSpec[];

  constructor(
    private readonly model: LanguageModel,
    private readonly parameters: Parameters,
  ) {
    this.#specs = parameterSpecs(model);
    const names = this.#specs.flatMap((spec) => this.#storedNames(spec));
    const tensors = names.map((name): [string, HostTensor] => [INPUT + name, parameters.get(name)!]);
    this.feeds = Object.fromEntries(tensors);
    this.inputs = Object.fromEntries(tensors.map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
  }

  get bytesPerToken(): number {
    const { embedding, head } = this.model;
    const isLookedUp = head.weight.name !== embedding.name;
    return Object.entries(this.feeds).reduce(
      (sum, [name, { data }]) => sum + (isLookedUp && name === INPUT + embedding.name ? 0 : data.byteLength),
      0,
    );
  }

  embed(ids: ArrayLike<number>, out: Float32Array): void {
    const width = this.model.hiddenSize;
    const table = this.parameters.get(this.model.embedding.name)!.data as Float32Array;
    for (let i = 0; i < ids.length; i++) {
      const row = ids[i]!;
      out.set(table.subarray(row * width, (row + 1) * width), i * width);
    }
    const rows = out.subarray(0, ids.length * width);
    this.model.embeddingReading?.host({ dtype: "float32", shape: [ids.length, width], data: rows });
  }

  scope(prefix: string, inputs: Readonly<Record<string, Tensor>>): Scope {
    const own = this.#specs.filter(({ name }) => name.startsWith(prefix));
    const local = own.map((spec) => ({ ...spec, name: spec.name.slice(prefix.length) }));
    const tensors = own.map((spec, i) => [local[i]!.name, this.#tensor(spec, inputs)] as const);
    return scopeOf(Object.fromEntries(tensors), local);
  }

  #tensor({ name, shape }: ParameterSpec, inputs: Readonly<Record<string, Tensor>>): Tensor {
    const format = storedFormat(this.parameters.get(name)!.dtype);
    if (!format) {
      const tensor = inputs[INPUT + name]!;
      const { weight, reading } = this.model.head;
      return (name === weight.name && reading?.tensor(tensor)) || tensor;
    }
    const parts = mapParts(frozenFormats[format.name].parts(shape), (_, suffix) => inputs[INPUT + name + suffix]!);
    return format.read(parts, shape);
  }

  #storedNames({ name, shape }: ParameterSpec): string[] {
    const format = storedFormat(this.parameters.get(name)!.dtype);
    return format ? Object.keys(format.parts(shape)).map((suffix) => name + suffix) : [name];
  }
}
