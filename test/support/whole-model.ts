/** @file A whole model as one graph without tiles, caches or plans, evaluated in float64: what the rest is checked against. */

import type { HostTensor } from "../../src/base/host-tensor.js";
import {
  causalAttention,
  gather,
  grad,
  interpret,
  linearCrossEntropy,
  matmul,
  type Reference,
  reference,
  reshape,
  scalar,
  stopGradient,
  type Tensor,
  transpose,
  where,
} from "../../src/graph/index.js";
import { input } from "../../src/graph/tensor.js";
import { type LanguageModel, type Parameters, parameterSpecs, scopeOf } from "../../src/nn/index.js";
import type { MicroBatch } from "../../src/plan/index.js";

class WholeModel {
  readonly feeds = new Map<Tensor, Reference>();
  readonly weights: ReadonlyMap<string, Tensor>;

  constructor(
    readonly model: LanguageModel,
    parameters: Parameters,
  ) {
    this.weights = new Map(
      parameterSpecs(model).map(({ name, shape }) => [
        name,
        this.feed(name, "float32", shape, parameters.get(name)!.data as Float32Array),
      ]),
    );
  }

  feed(name: string, dtype: HostTensor["dtype"], shape: readonly number[], data: ArrayLike<number>): Tensor {
    const tensor = input(name, dtype, shape);
    this.feeds.set(tensor, reference(dtype, shape, Float64Array.from(data)));
    return tensor;
  }

  /** x [rows, time, ·], of which the rows that are not among `selected` of [rows · time] are constants. */
  #detached(x: Tensor, selected: Int32Array | undefined): Tensor {
    if (!selected) return x;
    const [rows, time] = x.shape as [number, number];
    const marks = Float64Array.from({ length: rows * time }, (_, i) => Number(selected.includes(i)));
    return where(this.feed("marks", "bool", [rows, time, 1], marks), x, stopGradient(x));
  }

  /** Normalised hidden states [rows · time, D]. Gradients flow through the selected rows alone. */
  hidden(ids: ArrayLike<number>, rows: number, selected?: Int32Array): Tensor {
    const { model, weights } = this;
    const time = ids.length / rows;
    const detached = (x: Tensor): Tensor => this.#detached(x, selected);
    const positions = Array.from({ length: ids.length }, (_, i) => i % time);
    const tables = Object.fromEntries(
      Object.entries(model.tables(time)).map(([name, t]) => [
        name,
        this.feed(name, "float32", t.shape, t.data as Float32Array),
      ]),
    );
    const context = {
      positions: this.feed("positions", "int64", [rows, time], positions),
      tables,
      dropout: (h: Tensor) => h,
    };
    let x = detached(gather(weights.get(model.embedding.name)!, this.feed("ids", "int64", [rows, time], ids)));
    for (const { kind, prefix } of model.layers) {
      const { parameters, build } = model.kinds[kind]!;
      const local = Object.fromEntries(parameters.map(({ name }) => [name, weights.get(prefix + name)!]));
      const y = build(scopeOf(local), x, {
        ...context,
        attend: ({ q, k, v, numHeads, numKvHeads, headDim, scale }) => {
          const heads = (h: Tensor, n: number): Tensor => transpose(reshape(h, [rows, time, n, headDim]), [0, 2, 1, 3]);
          const [a, b, c] = [heads(q, numHeads), heads(detached(k), numKvHeads), heads(detached(v), numKvHeads)];
          const out = causalAttention(a, b, c, { scale, tile: time });
          return reshape(transpose(out, [0, 2, 1, 3]), [rows, time, numHeads * headDim]);
        },
      });
      x = detached(y);
    }
    const head = Object.fromEntries(model.head.parameters.map(({ name }) => [name, weights.get(name)!]));
    return reshape(model.head.normalize(scopeOf(head), x), [rows * time, model.hiddenSize]);
  }
}

/** Loss of a batch and its gradient by every parameter; where it selects rows, of these and through these alone. */
export function exactGradients(
  model: LanguageModel,
  parameters: Parameters,
  batch: MicroBatch,
  rows: number,
): { loss: number; gradients: Map<string, Float32Array> } {
  const whole = new WholeModel(model, parameters);
  const count = batch.ids.length;
  const weights = batch.weights.map((weight, i) => (batch.selected?.includes(i) === false ? 0 : weight));
  const loss = linearCrossEntropy(
    whole.hidden(batch.ids, rows, batch.selected),
    whole.weights.get(model.head.weight.name)!,
    whole.feed("labels", "int64", [count], batch.labels),
    whole.feed("weights", "float32", [count], weights),
  );
  const gradients = grad([{ output: loss, cotangent: scalar(1) }], [...whole.weights.values()]) as Tensor[];
  const [value, ...rest] = interpret([loss, ...gradients], whole.feeds);
  return {
    loss: value!.data[0]!,
    gradients: new Map([...whole.weights.keys()].map((name, i) => [name, Float32Array.from(rest[i]!.data)])),
  };
}

/** Logits [tokens][V] of one sequence. */
export function exactLogits(model: LanguageModel, parameters: Parameters, ids: ArrayLike<number>): Float64Array[] {
  const whole = new WholeModel(model, parameters);
  const head = whole.weights.get(model.head.weight.name)!;
  const logits = matmul(whole.hidden(ids, 1), head, { transB: true });
  const [value] = interpret([logits], whole.feeds);
  const size = model.vocabSize;
  return Array.from({ length: ids.length }, (_, i) => value!.data.slice(i * size, (i + 1) * size));
}
