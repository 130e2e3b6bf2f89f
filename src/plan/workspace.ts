/** @file How much memory a program needs for its intermediate values: its tensors' lifetimes, summed up. */

import { byteSize } from "../base/host-tensor.js";
import { type DimBindings, evaluateShape, type Graph, type Tensor } from "../graph/index.js";
import { type Node, topologicalOrder } from "../graph/tensor.js";

/** Ops whose result is the memory of their first operand. */
const VIEWS = new Set(["reshape", "custom", "stop_gradient"]);

/**
 * Largest sum of bytes of intermediate values alive at once, when a graph's nodes run in its own order and each value is
 * freed after its last reader. Inputs, outputs and constants are not counted: they live elsewhere.
 */
export function workspaceBytes(graph: Graph, dims: DimBindings = {}): number {
  const leaves = new Set(Object.values(graph.inputs));
  const order = topologicalOrder(Object.values(graph.outputs), leaves);
  const roots = new Map<Tensor, Tensor>();
  const rootOf = (tensor: Tensor): Tensor => roots.get(tensor) ?? tensor;
  const reads = new Map<Tensor, number>();
  for (const node of order) {
    aliasViews(node, roots);
    for (const tensor of node.inputs) {
      const root = rootOf(tensor);
      reads.set(root, (reads.get(root) ?? 0) + 1);
    }
  }
  const outside = new Set([...leaves, ...Object.values(graph.outputs).map(rootOf)]);
  const bytesOf = (tensor: Tensor): number =>
    outside.has(tensor) || tensor.node.op.name === "constant"
      ? 0
      : byteSize(tensor.dtype, evaluateShape(tensor.shape, dims));
  let alive = 0;
  let peak = 0;
  for (const node of order) {
    for (const output of node.outputs) if (rootOf(output) === output) alive += bytesOf(output);
    peak = Math.max(peak, alive);
    for (const tensor of node.inputs) {
      const root = rootOf(tensor);
      const left = reads.get(root)! - 1;
      reads.set(root, left);
      if (left === 0) alive -= bytesOf(root);
    }
    for (const output of node.outputs) if (rootOf(output) === output && !reads.has(output)) alive -= bytesOf(output);
  }
  return peak;
}

function aliasViews(node: Node, roots: Map<Tensor, Tensor>): void {
  if (!VIEWS.has(node.op.name)) return;
  for (const [i, output] of node.outputs.entries()) {
    const source = node.inputs[i]!;
    roots.set(output, roots.get(source) ?? source);
  }
}
