/** @file Packed weights are unpacked just before each use: a runtime that may choose would do it for all at the start. */

import { after } from "./ops/after.js";
import { type Graph, Node, type Tensor, topologicalOrder } from "./tensor.js";

/**
 * The graph with each packed weight unpacked anew for every reader, once the reader's other operand is there, so that at
 * any time few matrices exist unpacked. For graphs that are not to be differentiated any more. A scalar among the packed
 * parts carries the order; forms without one stay as they are.
 */
export function readLate({ name, inputs, outputs }: Graph): Graph {
  const leaves = new Set(Object.values(inputs));
  const changed = new Map<Tensor, Tensor>();
  for (const node of topologicalOrder(Object.values(outputs), leaves)) {
    const operands = node.inputs.map((tensor) => changed.get(tensor) ?? tensor);
    const late = operands.map((tensor) => {
      const other = operands.find((o) => o !== tensor && o.dtype === "float32" && !isRead(o) && !leaves.has(o));
      return other && isRead(tensor) ? readAfter(tensor, other) : tensor;
    });
    if (late.every((tensor, i) => tensor === node.inputs[i])) continue;
    const copy = new Node(node.op, late, node.attrs, node.outputs);
    for (const [i, output] of node.outputs.entries()) changed.set(output, copy.outputs[i]!);
  }
  const final = Object.entries(outputs).map(([key, tensor]) => [key, changed.get(tensor) ?? tensor]);
  return { name, inputs, outputs: Object.fromEntries(final) };
}

const isRead = ({ node }: Tensor): boolean => node.op.isCheapToRead === true;

function readAfter(tensor: Tensor, other: Tensor): Tensor {
  const { op, inputs, attrs, outputs } = tensor.node;
  const at = inputs.findIndex(({ dtype, rank }) => dtype === "float32" && rank === 0);
  if (at < 0) return tensor;
  const tied = inputs.map((part, i) => (i === at ? after(part, [other]) : part));
  return new Node(op, tied, attrs, outputs).outputs[tensor.index]!;
}
