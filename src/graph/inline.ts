/** @file A graph as part of another one. */

import { ConfigError, ShapeError } from "../base/errors.js";
import { sameShape } from "./dim.js";
import { type Graph, Node, type Tensor, topologicalOrder } from "./tensor.js";

/** The nodes, in order, once more on what stands in for their sources; leaves are shared. What became of each tensor. */
export function copyNodes(nodes: readonly Node[], standIns: ReadonlyMap<Tensor, Tensor>): ReadonlyMap<Tensor, Tensor> {
  const copies = new Map(standIns);
  for (const node of nodes) {
    if (node.inputs.length === 0) continue;
    const inputs = node.inputs.map((tensor) => copies.get(tensor) ?? tensor);
    const copy = new Node(node.op, inputs, node.attrs, node.outputs);
    node.outputs.forEach((output, i) => {
      // a graph may start in the middle of another one: what it is given stays
      if (!standIns.has(output)) copies.set(output, copy.outputs[i]!);
    });
  }
  return copies;
}

/**
 * The graph's outputs on other tensors than its inputs. Gradients that compositions state of their own are not carried
 * over: differentiate the graph first.
 * @throws ConfigError when an input is not given, ShapeError when it has another dtype or shape.
 */
export function inline(
  { name, inputs, outputs }: Graph,
  values: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  const standIns = new Map<Tensor, Tensor>();
  for (const [key, tensor] of Object.entries(inputs)) {
    const value = values[key];
    if (!value) throw new ConfigError(`inlining "${name}": its input "${key}" was not given`);
    if (value.dtype !== tensor.dtype || !sameShape(value.shape, tensor.shape)) {
      throw new ShapeError(
        `inlining "${name}": input "${key}" is ${tensor.dtype}[${tensor.shape}], got ${value.dtype}[${value.shape}]`,
      );
    }
    standIns.set(tensor, value);
  }
  const copies = copyNodes(topologicalOrder(Object.values(outputs), new Set(standIns.keys())), standIns);
  return Object.fromEntries(Object.entries(outputs).map(([key, tensor]) => [key, copies.get(tensor) ?? tensor]));
}
