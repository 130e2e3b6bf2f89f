/** @file Compositions that state their own gradient: the forward is ordinary ops, the backward is given. (JAX: custom_vjp.) */

import { apply, applyAll, type Differentiated, type Node, type OpDef, type Tensor } from "./tensor.js";

type CustomGradient = (ct: Tensor, node: Differentiated<readonly Tensor[], object>) => readonly (Tensor | null)[];

interface CustomAttrs {
  readonly name: string;
  /** What the composition was computed from: where the cotangents go. */
  readonly sources: readonly Tensor[];
  readonly gradient: CustomGradient;
  readonly flopsPerElement: number;
}

/** Passes the composition's results on; it exists only for differentiation and emits nothing. */
const customOp: OpDef<readonly Tensor[], CustomAttrs> = {
  name: "custom",
  infer: (results) => results.map(({ dtype, shape }) => ({ dtype, shape })),
  gradient: (ct, node) => node.attrs.gradient(ct, { ...node, inputs: node.attrs.sources }) as (Tensor | null)[],
  lower: (_, results) => results,
  evaluate: (results) => results,
  flopsPerElement: (_, { flopsPerElement }) => flopsPerElement,
  samples: [],
};

/**
 * Wraps `results`, computed from `sources` by any ops or known to be what such ops would give, so that differentiation uses
 * `gradient` instead of theirs.
 * The rule sees `sources` as its inputs and the wrapped results as its outputs; what it uses of them is what the
 * backward program needs. `flopsPerElement` tells a residual policy how dear the results are to recompute.
 */
export function withGradient(
  name: string,
  sources: readonly Tensor[],
  results: readonly Tensor[],
  gradient: CustomGradient,
  { flopsPerElement = 1 }: { readonly flopsPerElement?: number } = {},
): readonly Tensor[] {
  return applyAll(customOp, results, { name, sources, gradient, flopsPerElement });
}

/** The tensors that a node's cotangents belong to. */
export function gradientSources(node: Node): readonly Tensor[] {
  return node.op === (customOp as OpDef) ? (node.attrs as CustomAttrs).sources : node.inputs;
}

/** x as a constant: no gradient flows through. */
export function stopGradient(x: Tensor): Tensor {
  return apply(stopOp, [x], {});
}

const stopOp: OpDef<[Tensor]> = {
  name: "stop_gradient",
  infer: ([x]) => x,
  gradient: "zero",
  lower: (_, [x]) => x,
  evaluate: ([x]) => x,
  samples: [],
};

/**
 * x, handed from the forward to the backward pass under every policy of what is saved: what it is computed from is not
 * computed again.
 */
export function kept(x: Tensor): Tensor {
  return apply(keptOp, [x], {});
}

export const keptOp: OpDef<[Tensor]> = {
  name: "kept",
  infer: ([x]) => x,
  gradient: (ct) => [ct],
  lower: (_, [x]) => x,
  evaluate: ([x]) => x,
  flopsPerElement: () => Number.POSITIVE_INFINITY,
  samples: [],
};
