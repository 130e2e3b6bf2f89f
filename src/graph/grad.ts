/** @file Reverse-mode differentiation as a function from graph to graph. */

import { isFloat } from "../base/dtype.js";
import { ShapeError, UnsupportedError } from "../base/errors.js";
import { gradientSources } from "./custom.js";
import { type Shape, sameShape } from "./dim.js";
import { add } from "./ops/add.js";
import { reduceSum } from "./ops/reduce-sum.js";
import { reshape } from "./ops/reshape.js";
import { type Node, type Tensor, topologicalOrder } from "./tensor.js";

/** An output with the gradient of the loss by it. */
export interface Seed {
  readonly output: Tensor;
  readonly cotangent: Tensor;
}

/**
 * Gradients of `sum(output · cotangent)` over the seeds by each of `wrt`, as tensors of the graph; null where the
 * outputs do not depend on it. Cotangents are summed to the shape of what they belong to here and nowhere else.
 * @throws UnsupportedError naming the op when a gradient must pass through one that has none.
 */
export function grad(seeds: readonly Seed[], wrt: readonly Tensor[]): (Tensor | null)[] {
  const outputs = seeds.map((seed) => seed.output);
  // a composition's value may come from elsewhere than from what its gradient goes to
  const order = topologicalOrder(outputs, new Set(), (node) => [...node.inputs, ...gradientSources(node)]);
  const active = activeNodes(order, new Set(wrt));
  const cotangents = new Map<Tensor, Tensor>();
  const accumulate = (to: Tensor, cotangent: Tensor): void => {
    const summed = sumTo(cotangent, to.shape);
    const previous = cotangents.get(to);
    cotangents.set(to, previous ? add(previous, summed) : summed);
  };
  for (const { output, cotangent } of seeds) accumulate(output, cotangent);
  const needed = (tensor: Tensor): boolean => wrt.includes(tensor) || active.has(tensor.node);
  for (const node of order.reverse()) {
    if (!active.has(node)) continue;
    const incoming = node.outputs.map((output) => cotangents.get(output) ?? null);
    if (incoming.every((ct) => ct === null)) continue;
    const outgoing = pullback(node, incoming);
    const sources = gradientSources(node);
    sources.forEach((source, i) => {
      const ct = outgoing[i];
      if (ct && isFloat(source.dtype) && needed(source)) accumulate(source, ct);
    });
  }
  return wrt.map((tensor) => cotangents.get(tensor) ?? null);
}

/** Nodes that compute something from `wrt`. */
function activeNodes(order: readonly Node[], wrt: ReadonlySet<Tensor>): Set<Node> {
  const active = new Set<Node>();
  for (const node of order) {
    if (gradientSources(node).some((source) => wrt.has(source) || active.has(source.node))) active.add(node);
  }
  return active;
}

function pullback(node: Node, cotangents: readonly (Tensor | null)[]): readonly (Tensor | null)[] {
  const { op, inputs, outputs, attrs } = node;
  if (op.gradient === "zero") return gradientSources(node).map(() => null);
  if (op.gradient === "forbidden") {
    throw new UnsupportedError(
      `no gradient is defined for "${op.name}": it is meant for inference; train with an op that has one, or keep it out of what is differentiated`,
    );
  }
  if (!cotangents[0]) {
    throw new UnsupportedError(`"${op.name}": only its first output can be differentiated`);
  }
  return op.gradient(cotangents[0], { inputs, output: outputs[0]!, outputs, attrs, cotangents });
}

/** The adjoint of broadcasting: sums over the axes along which `shape` was stretched. */
function sumTo(cotangent: Tensor, shape: Shape): Tensor {
  if (sameShape(cotangent.shape, shape)) return cotangent;
  const lead = cotangent.rank - shape.length;
  if (lead < 0) throw new ShapeError(`a cotangent of shape [${cotangent.shape}] came for a value of shape [${shape}]`);
  const axes = cotangent.shape.flatMap((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []));
  return reshape(reduceSum(cotangent, axes, { keepDims: false }), shape);
}
