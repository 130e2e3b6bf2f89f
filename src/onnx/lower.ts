/** @file Symbolic graph → ONNX model. */

import { allocate, type DType } from "../base/dtype.js";
import { equalBytes } from "../base/equal-bytes.js";
import { assert, ShapeError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { type Dim, dimTerms, type Shape } from "../graph/dim.js";
import type { Device, OnnxAttribute, OnnxEmitter } from "../graph/emitter.js";
import { type Graph, inputName, type Tensor, topologicalOrder } from "../graph/tensor.js";
import type { OnnxModel, OnnxNode } from "./model.js";

class Emitter implements OnnxEmitter {
  readonly operators: OnnxNode[] = [];
  readonly initializers = new Map<string, HostTensor>();
  /** Names of constants by type and shape: equal ones are one, be they axes or the masks of tiles. */
  readonly #constants = new Map<string, string[]>();
  readonly #dims = new Map<Dim, string>();
  #numNames = 0;

  constructor(
    readonly inputs: Readonly<Record<string, Tensor>>,
    readonly device: Device,
  ) {}

  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    { domain = "", numOutputs = 1 }: { readonly domain?: string; readonly numOutputs?: number } = {},
  ): string {
    return this.nodes(opType, inputs, attributes, { domain, numOutputs })[0]!;
  }

  nodes(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
    { domain = "", numOutputs }: { readonly domain?: string; readonly numOutputs: number },
  ): readonly string[] {
    const outputs = Array.from({ length: numOutputs }, () => this.#fresh(opType));
    this.operators.push({ opType, domain, inputs, outputs, attributes });
    return outputs;
  }

  constant(value: HostTensor): string {
    const key = `${value.dtype}[${value.shape}]`;
    const alike = this.#constants.get(key) ?? [];
    const known = alike.find((name) => equalValues(this.initializers.get(name)!, value));
    if (known !== undefined) return known;
    const name = this.#fresh("constant");
    this.initializers.set(name, value);
    this.#constants.set(key, [...alike, name]);
    return name;
  }

  ints(values: readonly number[]): string {
    return this.constant({ dtype: "int64", shape: [values.length], data: BigInt64Array.from(values, BigInt) });
  }

  scalar(value: number, dtype: DType): string {
    const data = allocate(dtype, 1);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[0] = BigInt(value);
    else data[0] = value;
    return this.constant({ dtype, shape: [], data });
  }

  shape(shape: Shape): string {
    if (shape.every((dim) => typeof dim === "number")) return this.ints(shape);
    return shape.length === 1
      ? this.#dim(shape[0]!)
      : this.node(
          "Concat",
          shape.map((dim) => this.#dim(dim)),
          { axis: 0 },
        );
  }

  /** One dim as an int64 vector of length 1. */
  #dim(dim: Dim): string {
    if (typeof dim === "number") return this.ints([dim]);
    const known = this.#dims.get(dim);
    if (known !== undefined) return known;
    const terms = dimTerms(dim).map(([coefficient, names]) => {
      const factors = names.map((name) => this.#namedDim(name));
      if (coefficient !== 1 || factors.length === 0) factors.push(this.ints([coefficient]));
      return factors.reduce((a, b) => this.node("Mul", [a, b]));
    });
    const sum = terms.reduce((a, b) => this.node("Add", [a, b]));
    this.#dims.set(dim, sum);
    return sum;
  }

  #namedDim(name: string): string {
    for (const [input, tensor] of Object.entries(this.inputs)) {
      const axis = tensor.shape.indexOf(name);
      if (axis >= 0) return this.node("Shape", [input], { start: axis, end: axis + 1 });
    }
    throw new ShapeError(
      `dimension "${name}" is not the size of any input (${Object.keys(this.inputs)}), so it cannot be known when the program runs`,
    );
  }

  #fresh(stem: string): string {
    return `${stem}_${this.#numNames++}`;
  }
}

/** Of one type and shape. By their bits, so that a zero and its negative, or two numbers that are none, are told apart. */
function equalValues({ data: a }: HostTensor, { data: b }: HostTensor): boolean {
  const bytesOf = (data: HostTensor["data"]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return a === b || equalBytes(bytesOf(a), bytesOf(b));
}

/**
 * Lowers a graph. Inputs and outputs keep their names. A tensor that equals an input of the graph is read from there,
 * whatever computed it, so that a graph may start in the middle of another one. The operators are those that `device`,
 * the CPU by default, has kernels for, as far as there are any.
 */
export function lower(graph: Graph, device: Device = "cpu"): OnnxModel {
  const emitter = new Emitter(graph.inputs, device);
  const names = new Map<Tensor, string>();
  for (const [name, tensor] of Object.entries(graph.inputs)) names.set(tensor, name);
  for (const node of topologicalOrder(Object.values(graph.outputs), new Set(names.keys()))) {
    assert(
      inputName(node.outputs[0]!) === undefined,
      `input "${inputName(node.outputs[0]!)}" of "${graph.name}" is not listed`,
    );
    const inputs = node.inputs.map((tensor) => names.get(tensor)!);
    const lowered = node.op.lower(emitter, inputs, node.attrs, node);
    const results = typeof lowered === "string" ? [lowered] : lowered;
    node.outputs.forEach((tensor, i) => {
      if (!names.has(tensor)) names.set(tensor, results[i]!);
    });
  }
  return rename(graph, emitter, names);
}

/** Gives the graph's outputs their names; those that cannot be renamed are copied. */
function rename(graph: Graph, emitter: Emitter, names: ReadonlyMap<Tensor, string>): OnnxModel {
  const computed = new Set(emitter.operators.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  for (const [key, tensor] of Object.entries(graph.outputs)) {
    const name = names.get(tensor)!;
    if (computed.has(name) && !renamed.has(name)) renamed.set(name, key);
    else emitter.operators.push({ opType: "Identity", domain: "", inputs: [name], outputs: [key], attributes: {} });
  }
  const final = (name: string): string => renamed.get(name) ?? name;
  const value = ([name, aval]: [string, Tensor]): { name: string; aval: Tensor } => ({ name, aval });
  return {
    name: graph.name,
    nodes: emitter.operators.map((n) => ({ ...n, inputs: n.inputs.map(final), outputs: n.outputs.map(final) })),
    inputs: Object.entries(graph.inputs).map(value),
    outputs: Object.entries(graph.outputs).map(value),
    initializers: emitter.initializers,
  };
}
