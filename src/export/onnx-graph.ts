/** @file A whole model as one graph, from token ids to logits, for programs that know nothing of Tessera. */

import { UnsupportedError } from "../base/errors.js";
import {
  type Aval,
  add,
  broadcastTo,
  cast,
  concat,
  cumsum,
  type Dim,
  equal,
  type Graph,
  gather,
  graph,
  greaterEqual,
  matmul,
  maximum,
  mul,
  reshape,
  scalar,
  slice,
  softcapped,
  softmax,
  sub,
  type Tensor,
  transpose,
  where,
} from "../graph/index.js";
import { type AttentionRequest, type LanguageModel, parameterSpecs, scopeOf } from "../nn/index.js";

/** Added to the scores of what a query must not see. Finite, so that rows that see nothing stay numbers. */
const MASKED = -1e30;

/** Names of the file's sizes, as other exporters have them. */
const BATCH = "batch_size";
const TIME = "sequence_length";
const PAST = "past_sequence_length";

const TABLE = "table.";

export interface OnnxGraphOptions {
  /** Take keys and values of earlier tokens, and give them out with those of the new ones. */
  readonly cache: boolean;
  /** Rows of position tables. */
  readonly contextLength: number;
}

/**
 * `input_ids` [B, T] and `attention_mask` [B, P+T] (1 for tokens, 0 for padding on either side) → `logits` [B, T, V].
 * With a cache also `past_key_values.<i>.key` and `.value` [B, G, P, C] → `present.<i>.key` and `.value` [B, G, P+T, C];
 * P may be 0. Positions are counted from the mask. Parameters are inputs under their own names and tables as
 * `table.<name>`, to be turned into initializers.
 */
export function onnxGraph(model: LanguageModel, { cache, contextLength }: OnnxGraphOptions): Graph {
  const total: Dim = cache ? `${PAST}+${TIME}` : TIME;
  const inputs: Record<string, Aval> = {
    input_ids: { dtype: "int64", shape: [BATCH, TIME] },
    attention_mask: { dtype: "int64", shape: [BATCH, total] },
  };
  for (const [i, spec] of cacheSpecs(model).entries()) {
    if (!cache) break;
    const aval: Aval = { dtype: "float32", shape: [BATCH, spec.numKvHeads, PAST, spec.headDim] };
    inputs[`past_key_values.${i}.key`] = aval;
    inputs[`past_key_values.${i}.value`] = aval;
  }
  for (const { name, shape } of parameterSpecs(model)) inputs[name] = { dtype: "float32", shape };
  for (const [name, { dtype, shape }] of Object.entries(model.tables(contextLength))) {
    inputs[TABLE + name] = { dtype, shape };
  }
  return graph(model.family, inputs, (tensors) => new Builder(model, tensors, cache).build());
}

/** Caches of the layers that have one, numbered as in the file. */
export function cacheSpecs({ caches }: LanguageModel) {
  return caches.filter((spec) => spec !== undefined);
}

class Builder {
  /** Slot of each token in the cache, padding counted. */
  readonly #querySlots: Tensor;
  readonly #keySlots: Tensor;
  readonly #padding: Tensor;
  readonly #positions: Tensor;
  readonly #outputs: Record<string, Tensor> = {};
  #numCaches = 0;

  constructor(
    readonly model: LanguageModel,
    readonly inputs: Readonly<Record<string, Tensor>>,
    readonly cache: boolean,
  ) {
    const mask = inputs.attention_mask!;
    const total = mask.shape[1]!;
    const past = cache ? PAST : 0;
    const slots = sub(cumsum(cast(broadcastTo(scalar(1), [total]), "float32"), 0), 1);
    this.#keySlots = reshape(slots, [1, total]);
    this.#querySlots = reshape(slice(slots, 0, past, total), [TIME, 1]);
    const counted = cast(maximum(sub(cumsum(cast(mask, "float32"), 1), 1), 0), "int64");
    this.#positions = slice(counted, 1, past, total);
    const isToken = equal(cast(mask, "float32"), scalar(1));
    this.#padding = reshape(where(isToken, scalar(0), scalar(MASKED)), [BATCH, 1, 1, total]);
  }

  build(): Record<string, Tensor> {
    const { model, inputs } = this;
    const tables = Object.entries(inputs).flatMap(([name, tensor]) =>
      name.startsWith(TABLE) ? [[name.slice(TABLE.length), tensor] as const] : [],
    );
    let x = gather(inputs[model.embedding.name]!, inputs.input_ids!);
    for (const { kind, prefix } of model.layers) {
      const { parameters, build } = model.kinds[kind]!;
      const local = Object.fromEntries(parameters.map(({ name }) => [name, inputs[prefix + name]!]));
      x = build(scopeOf(local, parameters), x, {
        positions: this.#positions,
        tables: Object.fromEntries(tables),
        dropout: (h) => h,
        attend: (request) => this.#attend(request),
      });
    }
    const h = model.head.normalize(scopeOf(inputs), x);
    const logits = matmul(h, inputs[model.head.weight.name]!, { transB: true });
    return { logits: softcapped(logits, model.head.softcap), ...this.#outputs };
  }

  /** Plain attention over all slots, in operators of ONNX's own. */
  #attend({ q, k, v, numHeads, numKvHeads, headDim, scale, window, softcap, bias }: AttentionRequest): Tensor {
    if (bias)
      throw new UnsupportedError("exporting to ONNX: attention with a bias on the scores (ALiBi) is not supported");
    const shared = numHeads / numKvHeads;
    const keys = this.#cached("key", heads(k, numKvHeads, headDim));
    const values = this.#cached("value", heads(v, numKvHeads, headDim));
    this.#numCaches++;
    const total = keys.shape[2]!;
    // queries that share keys lie one after the other: [B, G, R·T, C]
    const grouped = reshape(transpose(reshape(q, [BATCH, TIME, numKvHeads, shared, headDim]), [0, 2, 3, 1, 4]), [
      BATCH,
      numKvHeads,
      `${shared}*${TIME}`,
      headDim,
    ]);
    const scores = softcapped(mul(matmul(grouped, keys, { transB: true }), scale), softcap);
    const apart = reshape(scores, [BATCH, numKvHeads * shared, TIME, total]);
    const weights = softmax(add(apart, add(this.#causalBias(window), this.#padding)));
    const summed = matmul(reshape(weights, [BATCH, numKvHeads, `${shared}*${TIME}`, total]), values);
    const byToken = transpose(reshape(summed, [BATCH, numHeads, TIME, headDim]), [0, 2, 1, 3]);
    return reshape(byToken, [BATCH, TIME, numHeads * headDim]);
  }

  /** [B, G, T, C] → [B, G, P+T, C], given out too. */
  #cached(name: "key" | "value", rows: Tensor): Tensor {
    if (!this.cache) return rows;
    const all = concat([this.inputs[`past_key_values.${this.#numCaches}.${name}`]!, rows], 2);
    this.#outputs[`present.${this.#numCaches}.${name}`] = all;
    return all;
  }

  /** [T, P+T]: MASKED at keys after the query and, with a window, at those `window` or more before it. */
  #causalBias(window: number | undefined): Tensor {
    const distance = sub(this.#querySlots, this.#keySlots);
    const seen = where(greaterEqual(distance, scalar(0)), scalar(0), scalar(MASKED));
    if (window === undefined) return seen;
    return where(greaterEqual(distance, scalar(window)), scalar(MASKED), seen);
  }
}

function heads(x: Tensor, count: number, headDim: number): Tensor {
  return transpose(reshape(x, [BATCH, TIME, count, headDim]), [0, 2, 1, 3]);
}
