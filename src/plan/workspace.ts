/** @file How much memory a program needs for its intermediate values: its tensors' lifetimes, summed up. */

import { byteSize } from "../base/host-tensor.js";
import { type DimBindings, evaluateDim, evaluateShape, type Graph, type Tensor } from "../graph/index.js";
import { selectRowsOp } from "../graph/ops/select-rows.js";
import { type Node, topologicalOrder } from "../graph/tensor.js";

/** Ops whose result is the memory of their first operand. */
const VIEWS = new Set(["reshape", "custom", "stop_gradient", "kept"]);

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
  const largest = { ...dims, ...selectedRows(order, dims) };
  const bytesOf = (tensor: Tensor): number =>
    outside.has(tensor) || tensor.node.op.name === "constant"
      ? 0
      : byteSize(tensor.dtype, evaluateShape(tensor.shape, largest));
  let alive = 0;
  let peak = 0;
  for (const node of order) {
    for (const output of node.outputs) if (rootOf(output) === output) alive += bytesOf(output);
    const sized = node.inputs.map(({ dtype, shape }) => ({ dtype, shape: evaluateShape(shape, largest) }));
    peak = Math.max(peak, alive + (node.op.scratchBytes?.(sized, node.attrs) ?? 0));
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

/** Numbers of rows that only a run decides, at their largest: all rows of what they are selected from. */
function selectedRows(nodes: readonly Node[], dims: DimBindings): DimBindings {
  const selections = nodes.filter(({ op }) => op.name === selectRowsOp.name);
  return Object.fromEntries(
    selections.map(({ inputs, outputs }) => [String(outputs[0]!.shape[0]), evaluateDim(inputs[0]!.shape[0]!, dims)]),
  );
}

function aliasViews(node: Node, roots: Map<Tensor, Tensor>): void {
  if (!VIEWS.has(node.op.name)) return;
  for (const [i, output] of node.outputs.entries()) {
    const source = node.inputs[i]!;
    roots.set(output, roots.get(source) ?? source);
  }
}
