/** @file Optimisers: an update rule as a graph, run in place over cache-sized pieces of parameters. */

import { type HostTensor, hostTensor, zeros } from "../../base/host-tensor.js";
import { type Aval, type Graph, graph, type Tensor } from "../../graph/index.js";
import type { Binding, Feeds, Program, Runtime } from "../../runtime/index.js";

/** What an update of one step depends on. */
export interface StepInfo {
  /** Steps taken before this one. */
  readonly step: number;
  readonly learningRate: number;
  /** Factor on the gradients, from clipping or from accumulation. */
  readonly gradientScale: number;
  /** Share of the parameter taken away per unit of learning rate; 0 for vectors. */
  readonly weightDecay: number;
}

/** An update rule: one file and one registry line. */
export interface OptimizerRule {
  readonly name: string;
  /** State tensors per parameter, each of the parameter's shape, zero at the start. */
  readonly states: readonly string[];
  /** Names of the scalars that the update reads. */
  readonly scalars: readonly string[];
  /** Values of the scalars in a step. */
  scalarsOf(info: StepInfo): Readonly<Record<string, number>>;
  /** New parameter and states, elementwise. Each output may be written over its input. */
  update(inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>>;
}

/** Elements per piece: parameter, gradient and states of one piece stay in the cache while the update passes over them. */
const PIECE = 2 ** 16;

function updateGraph(rule: OptimizerRule): Graph {
  const vector: Aval = { dtype: "float32", shape: ["n"] };
  const scalar: Aval = { dtype: "float32", shape: [] };
  const inputs: Record<string, Aval> = {
    parameter: vector,
    gradient: vector,
    ...Object.fromEntries(rule.states.map((name) => [name, vector])),
    ...Object.fromEntries(rule.scalars.map((name) => [name, scalar])),
  };
  return graph(`optimizer.${rule.name}`, inputs, (tensors) => prefixed("new_", rule.update(tensors)));
}

function prefixed<T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

export interface OptimizerOptions {
  readonly weightDecay: number;
}

/** Updates parameters in place and owns their states. */
export class Optimizer {
  readonly #rule: OptimizerRule;
  readonly #program: Program;
  readonly #options: OptimizerOptions;
  readonly #states = new Map<string, Readonly<Record<string, HostTensor>>>();
  readonly #bindings = new Map<string, { gradient: HostTensor; pieces: readonly Binding[] }>();
  /** Scalars for matrices and for vectors, which are not decayed. */
  readonly #scalars: readonly [Record<string, HostTensor>, Record<string, HostTensor>];

  private constructor(rule: OptimizerRule, program: Program, options: OptimizerOptions) {
    this.#rule = rule;
    this.#program = program;
    this.#options = options;
    const scalars = (): Record<string, HostTensor> =>
      Object.fromEntries(rule.scalars.map((name) => [name, zeros("float32", [])]));
    this.#scalars = [scalars(), scalars()];
  }

  static async create(runtime: Runtime, rule: OptimizerRule, options: OptimizerOptions): Promise<Optimizer> {
    return new Optimizer(rule, await runtime.compile(updateGraph(rule)), options);
  }

  /** States by `<state>.<parameter>`, for checkpoints. */
  *states(): Generator<readonly [string, HostTensor]> {
    for (const [parameter, states] of this.#states) {
      for (const [name, state] of Object.entries(states)) yield [`${name}.${parameter}`, state];
    }
  }

  /** Allocates the states of a parameter, zero. */
  prepare(name: string, parameter: HostTensor): Readonly<Record<string, HostTensor>> {
    const known = this.#states.get(name);
    if (known) return known;
    const states = Object.fromEntries(this.#rule.states.map((state) => [state, zeros("float32", parameter.shape)]));
    this.#states.set(name, states);
    return states;
  }

  /** Sets what the updates of one step read. */
  begin(info: Omit<StepInfo, "weightDecay">): void {
    const decays = [this.#options.weightDecay, 0];
    for (const [i, scalars] of this.#scalars.entries()) {
      const values = this.#rule.scalarsOf({ ...info, weightDecay: decays[i]! });
      for (const [name, tensor] of Object.entries(scalars)) tensor.data[0] = values[name]!;
    }
  }

  /** Updates one parameter by its gradient, in place. */
  async update(name: string, parameter: HostTensor, gradient: HostTensor): Promise<void> {
    let bound = this.#bindings.get(name);
    if (bound?.gradient !== gradient) {
      for (const binding of bound?.pieces ?? []) binding.release();
      bound = { gradient, pieces: this.#bind(name, parameter, gradient) };
      this.#bindings.set(name, bound);
    }
    for (const piece of bound.pieces) await piece.run();
  }

  #bind(name: string, parameter: HostTensor, gradient: HostTensor): Binding[] {
    const tensors: Feeds = { parameter, ...this.prepare(name, parameter) };
    const scalars = this.#scalars[parameter.shape.length > 1 ? 0 : 1]!;
    const length = parameter.data.length;
    const pieces: Binding[] = [];
    for (let start = 0; start < length; start += PIECE) {
      const piece = (t: HostTensor): HostTensor => {
        const data = t.data.subarray(start, Math.min(start + PIECE, length));
        return hostTensor(t.dtype, [data.length], data);
      };
      const inPlace = Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, piece(tensor)]));
      pieces.push(this.#program.bind({ ...inPlace, gradient: piece(gradient), ...scalars }, prefixed("new_", inPlace)));
    }
    return pieces;
  }

  close(): void {
    for (const { pieces } of this.#bindings.values()) for (const piece of pieces) piece.release();
    this.#bindings.clear();
  }
}
