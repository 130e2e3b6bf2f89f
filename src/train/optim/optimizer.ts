/** @file Optimisers: parameters updated in place by their gradients, and the states that this takes. */

import type { DType } from "../../base/dtype.js";
import { byteSize, type HostTensor, sizeOf } from "../../base/host-tensor.js";
import type { Runtime } from "../../runtime/index.js";
import { type ElementwiseRule, ElementwiseUpdater, PIECE } from "./elementwise.js";

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

export interface OptimizerOptions {
  readonly weightDecay: number;
}

/** An update of one parameter over fixed buffers. */
export interface BoundUpdate {
  run(): Promise<void>;
  release(): void;
}

/** A rule made ready to run. */
export interface Updater {
  /** Sets what the updates of one step read. */
  begin(info: Omit<StepInfo, "weightDecay">): void;
  /** The gradient is read only. */
  bind(parameter: HostTensor, gradient: HostTensor, states: Readonly<Record<string, HostTensor>>): BoundUpdate;
}

/** A state that is not a copy of the parameter's shape in float32. */
export interface StateSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A rule that looks at a parameter as a whole, or keeps its states in a form of their own. */
export interface WholeRule {
  readonly name: string;
  /** States of a parameter of this shape, zero at the start. */
  statesOf(shape: readonly number[]): Readonly<Record<string, StateSpec>>;
  createUpdater(runtime: Runtime, options: OptimizerOptions): Promise<Updater>;
}

export type OptimizerRule = ElementwiseRule | WholeRule;

/** States of a parameter of this shape. */
export function statesOf(rule: OptimizerRule, shape: readonly number[]): Readonly<Record<string, StateSpec>> {
  if ("statesOf" in rule) return rule.statesOf(shape);
  return Object.fromEntries(rule.states.map((name) => [name, { dtype: "float32", shape }]));
}

/** Bytes of a parameter's states. */
export function stateBytes(rule: OptimizerRule, shape: readonly number[]): number {
  return Object.values(statesOf(rule, shape)).reduce((sum, state) => sum + byteSize(state.dtype, state.shape), 0);
}

/** Bytes that an update of a parameter uses at once: a piece of its tensors where elements are treated alike, else all. */
export function updateBytes(rule: OptimizerRule, shape: readonly number[]): number {
  if (!("statesOf" in rule)) return byteSize("float32", [2 + rule.states.length, Math.min(PIECE, sizeOf(shape))]);
  return 2 * byteSize("float32", shape) + stateBytes(rule, shape);
}

/** Updates parameters in place and owns their states, which lie where the runtime keeps large tensors. */
export class Optimizer {
  readonly #runtime: Runtime;
  readonly #rule: OptimizerRule;
  readonly #updater: Updater;
  readonly #states = new Map<string, Readonly<Record<string, HostTensor>>>();
  readonly #bound = new Map<string, { gradient: HostTensor; update: BoundUpdate }>();

  private constructor(runtime: Runtime, rule: OptimizerRule, updater: Updater) {
    this.#runtime = runtime;
    this.#rule = rule;
    this.#updater = updater;
  }

  static async create(runtime: Runtime, rule: OptimizerRule, options: OptimizerOptions): Promise<Optimizer> {
    const updater =
      "createUpdater" in rule
        ? rule.createUpdater(runtime, options)
        : ElementwiseUpdater.create(runtime, rule, options);
    return new Optimizer(runtime, rule, await updater);
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
    const specs = Object.entries(statesOf(this.#rule, parameter.shape));
    const states = Object.fromEntries(
      specs.map(([state, { dtype, shape }]) => [state, this.#runtime.zeros(dtype, shape)]),
    );
    this.#states.set(name, states);
    return states;
  }

  /** Sets what the updates of one step read. */
  begin(info: Omit<StepInfo, "weightDecay">): void {
    this.#updater.begin(info);
  }

  /** Updates one parameter by its gradient, in place. */
  async update(name: string, parameter: HostTensor, gradient: HostTensor): Promise<void> {
    let bound = this.#bound.get(name);
    if (bound?.gradient !== gradient) {
      bound?.update.release();
      bound = { gradient, update: this.#updater.bind(parameter, gradient, this.prepare(name, parameter)) };
      this.#bound.set(name, bound);
    }
    await bound.update.run();
    this.#runtime.evict(Object.values(this.prepare(name, parameter)));
  }

  close(): void {
    for (const { update } of this.#bound.values()) update.release();
    this.#bound.clear();
  }
}
