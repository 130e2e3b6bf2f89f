/** @file A whole model over new tokens and a cache as one graph: what generation runs. */

import { softcapped } from "../graph/functional/softcap.js";
import { type Aval, type Graph, gather, graph, mulDims, readLate, reshape, type Tensor } from "../graph/index.js";
import type { AttentionRequest, LanguageModel, Scope } from "../nn/index.js";
import type { AdaptedLinears } from "./adapters/adapted-linears.js";
import type { StepWeights } from "./live-weights.js";

/** How layers attend to what a cache holds: a cache policy's part of the graph. */
export interface CachedAttention {
  /** What it is fed, by name. */
  readonly inputs: Readonly<Record<string, Aval>>;
  /** Attention of a layer by its index → [B, S, H·C], and what is handed out for the cache, by name. */
  attend(
    request: AttentionRequest,
    layer: number,
    inputs: Readonly<Record<string, Tensor>>,
  ): { readonly out: Tensor; readonly outputs: Readonly<Record<string, Tensor>> };
}

/**
 * x [B, S, D] (embedded new tokens), positions [B, S] int64, rows [N] int64 (tokens whose logits are wanted, counted
 * through B and S), `table.<name>` [P, ...] for at least as many positions, and what the cache is fed → logits [N, V], and
 * what the cache is given. With `adapters` it is fed their inputs too.
 */
export function stepGraph(
  model: LanguageModel,
  weights: StepWeights,
  attention: CachedAttention,
  adapters?: AdaptedLinears,
): Graph {
  const inputs: Record<string, Aval> = {
    x: { dtype: "float32", shape: ["B", "S", model.hiddenSize] },
    positions: { dtype: "int64", shape: ["B", "S"] },
    rows: { dtype: "int64", shape: ["N"] },
    ...attention.inputs,
    ...weights.inputs,
  };
  const tableNames = Object.entries(model.tables(1));
  for (const [name, { shape }] of tableNames) {
    inputs[`table.${name}`] = { dtype: "float32", shape: ["P", ...shape.slice(1)] };
  }
  const whole = graph("decode", inputs, (tensors) => {
    const tables = Object.fromEntries(tableNames.map(([name]) => [name, tensors[`table.${name}`]!]));
    const given: Record<string, Tensor> = {};
    let x = tensors.x!;
    for (const [i, { kind, prefix }] of model.layers.entries()) {
      const scope = weights.scope(prefix, tensors);
      x = model.kinds[kind]!.build(adapters?.scope(scope, prefix) ?? scope, x, {
        positions: tensors.positions!,
        tables,
        dropout: (h) => h,
        attend: (request) => {
          const { out, outputs } = attention.attend(request, i, tensors);
          Object.assign(given, outputs);
          return out;
        },
      });
    }
    const tokens = reshape(x, [mulDims("B", "S"), model.hiddenSize]);
    return { logits: logitsOf(model, weights.scope("", tensors), gather(tokens, tensors.rows!)), ...given };
  });
  const built = readLate(whole);
  return adapters ? { ...built, inputs: { ...built.inputs, ...adapters.inputs } } : built;
}

/** [N, D] → [N, V]. */
function logitsOf(model: LanguageModel, scope: Scope, tokens: Tensor): Tensor {
  const name = model.head.weight.name.replace(/\.weight$/, "");
  const logits = scope.linear(name).forward(model.head.normalize(scope, tokens));
  return softcapped(logits, model.head.softcap);
}
