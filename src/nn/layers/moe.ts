/** @file A mixture of experts (Shazeer et al. 2017, arXiv:1701.06538; Mixtral, arXiv:2401.04088, section 2.1). */

import { recomputed } from "../../graph/functional/recompute.js";
import {
  add,
  addAlong,
  broadcastTo,
  type Dim,
  div,
  greater,
  matmul,
  mul,
  mulDims,
  placeRows,
  reduceSum,
  reshape,
  scalar,
  selectRows,
  slice,
  softmax,
  type Tensor,
  topK,
} from "../../graph/index.js";
import type { LayerContext, Module, ParameterSpec, Scope } from "../model.js";
import { type GatedNames, gatedMlp, type MlpOptions } from "./mlp.js";

export interface MoeOptions extends MlpOptions {
  readonly numExperts: number;
  /** Experts that a token goes to. */
  readonly numSelected: number;
  /** Weights of the selected experts are divided by their sum. */
  readonly normalize: boolean;
  /** Parameter [E, D] of the router. */
  readonly router: string;
  expert(index: number): GatedNames;
}

/** Name under which a layer reports its router's logits [B · T, E]. */
export const ROUTER_LOGITS = "routerLogits";

/**
 * x [B, T, D] → [B, T, D]: each token goes through its `numSelected` likeliest experts, weighted by their probability.
 * An expert computes only the tokens that were sent to it, so the work is that of `numSelected` experts a token; what
 * it computes on the way is computed again in the backward pass, since how much it is only the run decides.
 */
export function mixtureOfExperts(options: MoeOptions): Module {
  const { numExperts, router, hiddenSize, std } = options;
  const experts = Array.from({ length: numExperts }, (_, i) => gatedMlp(options, options.expert(i)));
  const ofRouter: ParameterSpec = { name: router, shape: [numExperts, hiddenSize], init: { std }, matrix: "plain" };
  return {
    parameters: [ofRouter, ...experts.flatMap(({ parameters }) => parameters)],
    forward: (scope, x, context) => {
      const count = x.shape.slice(0, -1).reduce<Dim>(mulDims, 1);
      const rows = reshape(x, [count, hiddenSize]);
      const logits = matmul(rows, scope.tensor(router), { transB: true });
      context.report?.(ROUTER_LOGITS, logits);
      const weights = routingWeights(softmax(logits), options);
      const parts = experts.map((expert, i) => routed(expert, i, { scope, rows, weights, context }));
      const sum = parts.reduce((a, b) => add(a, b));
      return reshape(recomputed("mixture_of_experts", [rows, weights], sum), x.shape);
    },
  };
}

/** Probabilities [N, E] → weights [N, E]: those of the largest, zero for all others. */
export function routingWeights(
  probabilities: Tensor,
  { numSelected, normalize }: Pick<MoeOptions, "numSelected" | "normalize">,
): Tensor {
  const [values, indices] = topK(probabilities, numSelected);
  const chosen = normalize ? div(values, reduceSum(values, [-1], { keepDims: true })) : values;
  return addAlong(broadcastTo(scalar(0), probabilities.shape), indices, chosen);
}

interface Routing {
  readonly scope: Scope;
  /** [N, D]. */
  readonly rows: Tensor;
  /** [N, E]. */
  readonly weights: Tensor;
  readonly context: LayerContext;
}

/** One expert's share of the result, [N, D]: zeros for tokens that go elsewhere. */
function routed(expert: Module, index: number, { scope, rows, weights, context }: Routing): Tensor {
  const ofExpert = slice(weights, 1, index, index + 1); // [N, 1]
  const mask = greater(reshape(ofExpert, [rows.shape[0]!]), scalar(0));
  const count = `tokensOfExpert${index}`;
  const computed = expert.forward(scope, selectRows(rows, mask, count), context);
  return placeRows(mul(computed, selectRows(ofExpert, mask, count)), mask);
}

/**
 * Load-balancing loss over layers (Switch Transformer, Fedus et al. 2021, arXiv:2101.03961, eq. 4 to 6, as Mixtral's
 * reference sums it over layers): E · Σ_e f_e p_e with f_e the share of tokens sent to expert e (numSelected in all) and
 * p_e its mean probability. `logits` [N, E] of each layer; `counted` [N, 1] is 1 for tokens and 0 for padding → scalar.
 * Gradients flow through the probabilities only.
 */
export function loadBalancingLoss(logits: readonly Tensor[], numSelected: number, counted: Tensor): Tensor {
  const numExperts = Number(logits[0]!.shape[1]);
  const sumRows = (x: Tensor): Tensor => reduceSum(mul(x, counted), [0]);
  const probabilities = logits.map((layer) => softmax(layer));
  const selected = probabilities.map((layer) => {
    const [values, indices] = topK(layer, numSelected);
    return addAlong(broadcastTo(scalar(0), layer.shape), indices, broadcastTo(scalar(1), values.shape));
  });
  const total = (parts: readonly Tensor[]): Tensor => parts.map(sumRows).reduce((a, b) => add(a, b));
  const tokens = mul(reduceSum(counted, [0, 1]), logits.length);
  const share = div(total(selected), tokens);
  const mean = div(total(probabilities), tokens);
  return mul(reduceSum(mul(share, mean), [0]), numExperts);
}
