/** @file A graph → its forward and backward graphs, with a policy for what is kept between them. */

import { ConfigError } from "../base/errors.js";
import { byteSize } from "../base/host-tensor.js";
import { keptOp } from "./custom.js";
import { grad } from "./grad.js";
import { minimumCut } from "./min-cut.js";
import {
  constantValue,
  type Graph,
  input,
  inputName,
  type Node,
  type OpDef,
  type Tensor,
  topologicalOrder,
} from "./tensor.js";

/**
 * What the forward program hands to the backward program, beside values that are marked `kept`.
 * - "all": every value that the backward pass reads; nothing is computed twice.
 * - "selective": the fewest bytes from which the backward pass can start without a second matrix product or anything else
 *   that is dear (Korthikanti et al. 2022, arXiv:2205.05198); what is cheap is recomputed.
 * - "inputs": nothing but the graph's own inputs; everything is recomputed (Chen et al. 2016, arXiv:1604.06174).
 */
export type SavePolicy = "all" | "selective" | "inputs";

export interface DifferentiateOptions {
  /** Inputs to differentiate by. */
  readonly wrt: readonly string[];
  readonly save: SavePolicy;
}

export interface DifferentiatedGraph {
  /** The graph's outputs, then `residual.0`, `residual.1`, … */
  readonly forward: Graph;
  /**
   * From the inputs and residuals that it reads and `d_<output>`, the gradient of the loss by each output, to
   * `d_<input>` for each input of `wrt` that the outputs depend on.
   */
  readonly backward: Graph;
  /** What passes from forward to backward, by name. */
  readonly residuals: Readonly<Record<string, Tensor>>;
}

/** From so many floating-point operations per element a result is kept rather than computed again. */
const DEAR_FLOPS = 16;
/** Ops whose result is the same memory, or next to nothing, seen in another way. */
const FREE = new Set(["reshape", "broadcast_to", "stop_gradient"]);
/** What a dim counts that only a run decides. */
const USUAL_DIM = 1024;

/**
 * Differentiates a graph by some of its inputs. Gradients are equal under every policy.
 * @throws ConfigError when `wrt` names no input. @throws UnsupportedError when an op on the way has no gradient.
 */
export function differentiate(source: Graph, { wrt, save }: DifferentiateOptions): DifferentiatedGraph {
  const unknown = wrt.filter((name) => !(name in source.inputs));
  if (unknown.length > 0) {
    throw new ConfigError(
      `differentiate "${source.name}": no input ${unknown}; inputs are ${Object.keys(source.inputs)}`,
    );
  }
  const outputs = Object.entries(source.outputs);
  const seeds = outputs.map(([name, output]) => ({
    output,
    cotangent: input(`d_${name}`, output.dtype, output.shape),
  }));
  const gradients = grad(
    seeds,
    wrt.map((name) => source.inputs[name]!),
  );
  const found = wrt.flatMap((name, i) => (gradients[i] ? [[`d_${name}`, gradients[i]] as const] : []));
  const targets = found.map(([, gradient]) => gradient);
  const forwardNodes = new Set(topologicalOrder(Object.values(source.outputs)));
  const kept = residualsOf(targets, forwardNodes, save);
  const residuals = Object.fromEntries([...kept].map((tensor, i) => [`residual.${i}`, tensor]));
  const cotangents = Object.fromEntries(seeds.map(({ cotangent }) => [inputName(cotangent)!, cotangent]));
  const leaves = { ...source.inputs, ...residuals, ...cotangents };
  return {
    forward: trimmed({
      name: `${source.name}.forward`,
      inputs: source.inputs,
      outputs: { ...source.outputs, ...residuals },
    }),
    backward: trimmed({ name: `${source.name}.backward`, inputs: leaves, outputs: Object.fromEntries(found) }),
    residuals,
  };
}

/** A graph without the inputs that no output depends on. */
export function trimmed({ name, inputs, outputs }: Graph): Graph {
  const leaves = new Set(Object.values(inputs));
  const read = new Set(Object.values(outputs).filter((output) => leaves.has(output)));
  for (const node of topologicalOrder(Object.values(outputs), leaves)) {
    for (const tensor of node.inputs) if (leaves.has(tensor)) read.add(tensor);
  }
  return { name, inputs: Object.fromEntries(Object.entries(inputs).filter(([, tensor]) => read.has(tensor))), outputs };
}

/** The forward values that the backward pass starts from. */
function residualsOf(gradients: readonly Tensor[], forward: ReadonlySet<Node>, save: SavePolicy): Iterable<Tensor> {
  if (save === "inputs") return markedValues(gradients);
  const read = forwardValues(gradients, forward);
  return save === "all" ? withoutViews(read) : smallest(read);
}

/** Values to keep whatever the policy: the first of them on each way from the gradients to the inputs. */
function markedValues(gradients: readonly Tensor[]): Set<Tensor> {
  const marked = new Set<Tensor>();
  const seen = new Set<Tensor>();
  const visit = (tensor: Tensor): void => {
    if (seen.has(tensor)) return;
    seen.add(tensor);
    if (tensor.node.op === (keptOp as OpDef)) marked.add(tensor);
    else tensor.node.inputs.forEach(visit);
  };
  gradients.forEach(visit);
  return marked;
}

/** Results of forward nodes that the backward pass reads, leaves apart. */
function forwardValues(gradients: readonly Tensor[], forward: ReadonlySet<Node>): Set<Tensor> {
  const found = new Set<Tensor>();
  const seen = new Set<Tensor>();
  const visit = (tensor: Tensor): void => {
    if (seen.has(tensor) || isLeaf(tensor)) return;
    seen.add(tensor);
    if (forward.has(tensor.node)) found.add(tensor);
    else tensor.node.inputs.forEach(visit);
  };
  gradients.forEach(visit);
  return found;
}

/** What the backward pass has anyway: inputs, constants, and what is read from these in another form. */
function isLeaf(tensor: Tensor): boolean {
  if (inputName(tensor) !== undefined || constantValue(tensor) !== undefined) return true;
  return tensor.node.op.isCheapToRead === true && tensor.node.inputs.every(isLeaf);
}

/** What views are views of instead of them. */
function withoutViews(tensors: Iterable<Tensor>): Set<Tensor> {
  const kept = new Set<Tensor>();
  const visit = (tensor: Tensor): void => {
    if (isLeaf(tensor)) return;
    if (FREE.has(tensor.node.op.name)) tensor.node.inputs.forEach(visit);
    else kept.add(tensor);
  };
  for (const tensor of tensors) visit(tensor);
  return kept;
}

/** The fewest bytes from which `read` can be computed without the dear ops: a minimum cut between these and `read`. */
function smallest(read: ReadonlySet<Tensor>): Tensor[] {
  const order = new Map<Tensor, number>();
  const edges: (readonly [number, number])[] = [];
  const dear: number[] = [];
  const visit = (tensor: Tensor): number | undefined => {
    if (isLeaf(tensor)) return undefined;
    const known = order.get(tensor);
    if (known !== undefined) return known;
    const place = order.size;
    order.set(tensor, place);
    const { op, inputs, attrs } = tensor.node;
    if ((op.flopsPerElement?.(inputs, attrs) ?? 1) >= DEAR_FLOPS) dear.push(place);
    else
      for (const input of inputs) {
        const from = visit(input);
        if (from !== undefined) edges.push([from, place]);
      }
    return place;
  };
  const sinks = [...read].map((tensor) => visit(tensor)!);
  const tensors = [...order.keys()];
  return minimumCut({ costs: tensors.map(usualBytes), edges, sources: dear, sinks }).map((place) => tensors[place]!);
}

function usualBytes({ dtype, shape }: Tensor): number {
  return byteSize(
    dtype,
    shape.map((dim) => (typeof dim === "number" ? dim : USUAL_DIM)),
  );
}
