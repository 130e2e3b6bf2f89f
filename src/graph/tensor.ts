/** @file The symbolic tensor graph: tensors, nodes, and what an op must define. Nothing is computed here. */

import type { DType } from "../base/dtype.js";
import { assert, ConfigError, ShapeError } from "../base/errors.js";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import type { DimBindings, Shape } from "./dim.js";
import type { OnnxEmitter } from "./emitter.js";
import type { Reference } from "./reference.js";

/** What is known of a tensor before a program runs. (JAX: abstract value.) */
export interface Aval {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One application of an op. Immutable; its identity is the object. */
export class Node {
  readonly outputs: readonly Tensor[];
  constructor(
    readonly op: OpDef,
    readonly inputs: readonly Tensor[],
    readonly attrs: object,
    avals: readonly Aval[],
  ) {
    this.outputs = avals.map((aval, index) => new Tensor(this, index, aval.dtype, aval.shape));
  }
}

/** A value of the graph: one output of a node. */
export class Tensor implements Aval {
  constructor(
    readonly node: Node,
    readonly index: number,
    readonly dtype: DType,
    readonly shape: Shape,
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  toString(): string {
    return `${this.node.op.name}:${this.dtype}[${this.shape}]`;
  }
}

type Each<In extends readonly Tensor[], T> = { readonly [K in keyof In]: T };

/** A node as its gradient rule sees it. */
export interface Differentiated<In extends readonly Tensor[], Attrs extends object> {
  readonly inputs: In;
  /** The first output; most ops have no other. */
  readonly output: Tensor;
  readonly outputs: readonly Tensor[];
  readonly attrs: Readonly<Attrs>;
  /** Cotangent of every output; null where nothing depends on it. */
  readonly cotangents: readonly (Tensor | null)[];
}

/** Method syntax makes the rule bivariant, so that a registry can hold ops of every arity. */
type GradientRule<In extends readonly Tensor[], Attrs extends object> = {
  rule(ct: Tensor, node: Differentiated<In, Attrs>): Each<In, Tensor | null>;
}["rule"];

/** One case of an op for its conformance suite. */
export interface Sample<Attrs extends object = object> {
  readonly inputs: readonly SampleInput[];
  readonly attrs: Attrs;
}

/** Shapes may use the names of `sampleDims`. `values` are drawn from a standard normal unless said otherwise. */
export interface SampleInput {
  readonly shape: Shape;
  readonly dtype?: DType;
  readonly values?: "normal" | "positive" | "distinct" | { readonly below: number } | readonly number[];
}

/** Sizes of the named dims that samples may use. */
export const sampleDims: DimBindings = { B: 2, T: 3, K: 5 };

/** Everything there is to know about one op. */
export interface OpDef<In extends readonly Tensor[] = readonly Tensor[], Attrs extends object = object> {
  readonly name: string;
  /** Shape rule; a list where the op has several outputs. Throws ShapeError or DTypeError naming what came. */
  infer(inputs: Each<In, Aval>, attrs: Readonly<Attrs>): Aval | readonly Aval[];
  /**
   * Cotangents of the inputs; null = no gradient flows there. A rule may return cotangents of the broadcast shape:
   * they are summed to the input's shape in `grad`. "zero": constant almost everywhere. "forbidden": asking is an error.
   */
  readonly gradient: GradientRule<In, Attrs> | "zero" | "forbidden";
  /** Emits ONNX operators (default domain and com.microsoft) and returns the name of each output. */
  lower(b: OnnxEmitter, inputs: Each<In, string>, attrs: Readonly<Attrs>, node: Node): string | readonly string[];
  /** The same in float64, plainly: what the lowering and the gradient are checked against. */
  evaluate(inputs: Each<In, Reference>, attrs: Readonly<Attrs>, dims: DimBindings): Reference | readonly Reference[];
  /**
   * Floating-point operations per output element, given the inputs; ops without it cost about one.
   * Decides what a selective residual policy keeps.
   */
  flopsPerElement?(inputs: Each<In, Aval>, attrs: Readonly<Attrs>): number;
  /** The result is computed again from its inputs where these are leaves, never kept: weights in packed form. */
  readonly isCheapToRead?: true;
  /** Bytes that the kernel sets aside beside its results, for inputs of known sizes. Default none. */
  scratchBytes?(inputs: Each<In, Aval>, attrs: Readonly<Attrs>): number;
  readonly samples: readonly Sample<Attrs>[];
  /** Cases of the conformance suite that do not apply, with the reason. */
  readonly skips?: Readonly<Record<string, string>>;
}

/** Applies an op that has one output. */
export function apply<In extends readonly Tensor[], Attrs extends object>(
  op: OpDef<In, Attrs>,
  inputs: NoInfer<In>,
  attrs: Attrs,
): Tensor {
  return applyAll(op, inputs, attrs)[0]!;
}

/** Applies an op and gives all its outputs. */
export function applyAll<In extends readonly Tensor[], Attrs extends object>(
  op: OpDef<In, Attrs>,
  inputs: NoInfer<In>,
  attrs: Attrs,
): readonly Tensor[] {
  const inferred = op.infer(inputs as Each<In, Aval>, attrs);
  return new Node(op, inputs, attrs, "dtype" in inferred ? [inferred] : inferred).outputs;
}

const notComputed = (name: string) => (): never => {
  throw new Error(`internal error: ${name} is bound by whoever runs the graph, not computed`);
};

/** A leaf that the caller feeds. Its attrs hold its name. */
const inputOp: OpDef<[], { readonly name: string; readonly aval: Aval }> = {
  name: "input",
  infer: (_, { aval }) => aval,
  gradient: "zero",
  lower: notComputed("an input"),
  evaluate: notComputed("an input"),
  samples: [],
};

/** A leaf that the graph carries. */
const constantOp: OpDef<[], { readonly value: HostTensor }> = {
  name: "constant",
  infer: (_, { value }) => value,
  gradient: "zero",
  lower: (b, _, { value }) => b.constant(value),
  evaluate: (_, { value }) => ({
    dtype: value.dtype,
    shape: [...value.shape],
    data: Float64Array.from(value.data as ArrayLike<number | bigint>, Number),
  }),
  samples: [],
};

/** A tensor to be fed under `name` when the program runs. */
export function input(name: string, dtype: DType, shape: Shape): Tensor {
  return apply(inputOp, [], { name, aval: { dtype, shape } });
}

/** Name of an input tensor, or undefined when the tensor is computed or constant. */
export function inputName(tensor: Tensor): string | undefined {
  return tensor.node.op === (inputOp as OpDef) ? (tensor.node.attrs as { name: string }).name : undefined;
}

/** A value known now. It becomes part of the program. */
export function constant(value: HostTensor): Tensor {
  return apply(constantOp, [], { value });
}

/** The value of a constant tensor, or undefined. */
export function constantValue(tensor: Tensor): HostTensor | undefined {
  return tensor.node.op === (constantOp as OpDef) ? (tensor.node.attrs as { value: HostTensor }).value : undefined;
}

/** A constant of rank 0. */
export function scalar(value: number, dtype: DType = "float32"): Tensor {
  const filled = { float32: Float32Array.of(value), int64: undefined, int32: Int32Array.of(value) } as const;
  if (dtype === "int64") return constant(hostTensor("int64", [], BigInt64Array.of(BigInt(value))));
  if (dtype === "bool") return constant(hostTensor("bool", [], Uint8Array.of(value)));
  if (dtype === "float64") return constant(hostTensor("float64", [], Float64Array.of(value)));
  const data = filled[dtype as keyof typeof filled];
  assert(data, `scalar constants of ${dtype}`);
  return constant(hostTensor(dtype, [], data));
}

/** A tensor, or a number that becomes a scalar constant of the other operand's dtype. */
export type TensorLike = Tensor | number;

/** A graph with a name and named inputs and outputs: what becomes a program. */
export interface Graph {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/**
 * Builds a graph by calling `build` once with symbolic inputs.
 * @example graph("double", { x: { dtype: "float32", shape: ["n"] } }, ({ x }) => ({ y: add(x, x) }))
 */
export function graph<Name extends string>(
  name: string,
  inputs: Readonly<Record<Name, Aval>>,
  build: (inputs: Readonly<Record<Name, Tensor>>) => Readonly<Record<string, Tensor>>,
): Graph {
  const entries = (Object.entries(inputs) as [Name, Aval][]).map(
    ([key, { dtype, shape }]) => [key, input(key, dtype, shape)] as const,
  );
  const tensors = Object.fromEntries(entries) as Record<Name, Tensor>;
  const outputs = build(tensors);
  const names = Object.keys(outputs);
  const clash = names.find((key) => key in tensors);
  if (names.length === 0 || clash !== undefined) {
    throw new ConfigError(
      `graph "${name}": ${clash ? `"${clash}" names an input and an output` : "there are no outputs"}`,
    );
  }
  return { name, inputs: tensors, outputs };
}

/**
 * Every node that `outputs` depend on, inputs before users. `stop` tensors are leaves: what is behind them is not visited.
 * `before` says what comes before a node where that is more than its inputs.
 */
export function topologicalOrder(
  outputs: readonly Tensor[],
  stop: ReadonlySet<Tensor> = new Set(),
  before: (node: Node) => readonly Tensor[] = ({ inputs }) => inputs,
): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; tensors: readonly Tensor[]; next: number }[] = [];
  const enter = (tensor: Tensor): void => {
    if (stop.has(tensor) || seen.has(tensor.node)) return;
    seen.add(tensor.node);
    stack.push({ node: tensor.node, tensors: before(tensor.node), next: 0 });
  };
  for (const output of outputs) {
    enter(output);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const child = top.tensors[top.next++];
      if (child) enter(child);
      else order.push(stack.pop()!.node);
    }
  }
  return order;
}

/** @throws ShapeError unless the tensor has the given rank. */
export function requireRank(operation: string, aval: Aval, rank: number): void {
  if (aval.shape.length !== rank) {
    throw new ShapeError(`${operation}: expected a tensor of rank ${rank}, got shape [${aval.shape}]`);
  }
}
