/** @file A composition whose inner values are never kept for the backward pass, but computed there again. */

import { stopGradient, withGradient } from "../custom.js";
import { grad } from "../grad.js";
import { copyNodes } from "../inline.js";
import { inputName, type Node, type Tensor, topologicalOrder } from "../tensor.js";

/**
 * `result`, whose gradient by `sources` and by all inputs of the graph is computed from a copy of what lies between: no
 * value in between outlives the forward pass (Chen et al. 2016, arXiv:1604.06174). Needed where inner values have sizes
 * that only a run decides, for which no buffer could be set aside.
 */
export function recomputed(name: string, sources: readonly Tensor[], result: Tensor): Tensor {
  const stop = new Set(sources);
  const between = topologicalOrder([result], stop);
  const leaves = between.flatMap((node) => node.outputs.filter((output) => inputName(output) !== undefined));
  const [out] = withGradient(name, [...sources, ...leaves], [result], (ct) => {
    // one source may depend on another: what lies before them is not for this rule to differentiate
    const standIns = new Map(sources.map((source) => [source, stopGradient(source)]));
    const copy = copied(between, standIns, result);
    return grad([{ output: copy, cotangent: ct }], [...standIns.values(), ...leaves]);
  });
  return out!;
}

/** The nodes once more, on what stands in for their sources and on the same leaves. */
function copied(nodes: readonly Node[], standIns: ReadonlyMap<Tensor, Tensor>, result: Tensor): Tensor {
  return copyNodes(nodes, standIns).get(result) ?? result;
}
