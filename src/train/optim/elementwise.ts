/** @file Update rules that treat every element alike: a graph, run in place over cache-sized pieces. */

import { type HostTensor, hostTensor, zeros } from "../../base/host-tensor.js";
import {
  type Aval,
  type Graph,
  graph,
  input,
  interpret,
  type Reference,
  reference,
  type Tensor,
} from "../../graph/index.js";
import type { Binding, Program, Runtime } from "../../runtime/index.js";
import type { BoundUpdate, OptimizerOptions, StepInfo, Updater } from "./optimizer.js";

/** An update rule of single elements: one file and one registry line. */
export interface ElementwiseRule {
  readonly name: string;
  /** State tensors per parameter, each of the parameter's shape, zero at the start. */
  readonly states: readonly string[];
  /** Names of the scalars that the update reads. */
  readonly scalars: readonly string[];
  /** The scalars of a step from what it depends on, all float64 of rank 0, so that a graph can compute them too. */
  scalarsOf(info: Readonly<Record<keyof StepInfo, Tensor>>): Readonly<Record<string, Tensor>>;
  /**
   * New parameter and states, elementwise. Each output is written over its input: where another output reads the old value
   * too, the new one must come `after` it.
   */
  update(inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>>;
}

/** Elements per piece: parameter, gradient and states of one piece stay in the cache while the update passes over them. */
export const PIECE = 2 ** 16;

function updateGraph(rule: ElementwiseRule): Graph {
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

/** A stretch of elements of a parameter. */
export interface Piece {
  readonly start: number;
  readonly end: number;
}

export function piecesOf(length: number): Piece[] {
  return Array.from({ length: Math.ceil(length / PIECE) }, (_, i) => ({
    start: i * PIECE,
    end: Math.min((i + 1) * PIECE, length),
  }));
}

/** Elements `start` to `end`, whatever the shape; a view. */
export function pieceOf({ dtype, data }: HostTensor, { start, end }: Piece): HostTensor {
  return hostTensor(dtype, [end - start], data.subarray(start, end));
}

/** A rule compiled, with the scalars of the step that is under way. */
export class ElementwiseUpdater implements Updater {
  /** Scalars for matrices and for vectors, which are not decayed. */
  readonly #scalars: readonly [Record<string, HostTensor>, Record<string, HostTensor>];

  readonly #info: Readonly<Record<keyof StepInfo, Tensor>> = {
    step: input("step", "float64", []),
    learningRate: input("learningRate", "float64", []),
    gradientScale: input("gradientScale", "float64", []),
    weightDecay: input("weightDecay", "float64", []),
  };
  readonly #formulas: Readonly<Record<string, Tensor>>;

  private constructor(
    readonly rule: ElementwiseRule,
    private readonly program: Program,
    private readonly options: OptimizerOptions,
  ) {
    const scalars = (): Record<string, HostTensor> =>
      Object.fromEntries(rule.scalars.map((name) => [name, zeros("float32", [])]));
    this.#scalars = [scalars(), scalars()];
    this.#formulas = rule.scalarsOf(this.#info);
  }

  static async create(runtime: Runtime, rule: ElementwiseRule, options: OptimizerOptions): Promise<ElementwiseUpdater> {
    return new ElementwiseUpdater(rule, await runtime.compile(updateGraph(rule)), options);
  }

  begin(info: Omit<StepInfo, "weightDecay">): void {
    const decays = [this.options.weightDecay, 0];
    for (const [i, scalars] of this.#scalars.entries()) {
      const values = this.#scalarValues({ ...info, weightDecay: decays[i]! });
      for (const [name, tensor] of Object.entries(scalars)) tensor.data[0] = values[name]!;
    }
  }

  /** By the rule's formulas, in float64. */
  #scalarValues(info: StepInfo): Record<string, number> {
    const known = (name: keyof StepInfo): readonly [Tensor, Reference] => [
      this.#info[name],
      reference("float64", [], Float64Array.of(info[name])),
    ];
    const feeds = new Map((Object.keys(this.#info) as (keyof StepInfo)[]).map(known));
    const names = Object.keys(this.#formulas);
    const values = interpret(Object.values(this.#formulas), feeds);
    return Object.fromEntries(names.map((name, i) => [name, values[i]!.data[0]!]));
  }

  bind(parameter: HostTensor, gradient: HostTensor, states: Readonly<Record<string, HostTensor>>): BoundUpdate {
    const pieces = piecesOf(parameter.data.length).map((piece) => {
      const cut = Object.entries(states).map(([name, state]) => [name, pieceOf(state, piece)] as const);
      return this.bindPiece(parameter, gradient, piece, Object.fromEntries(cut));
    });
    return {
      run: async () => {
        for (const piece of pieces) await piece.run();
      },
      release: () => {
        for (const piece of pieces) piece.release();
      },
    };
  }

  /** One piece of a parameter, with its states given as they are to be read and written. */
  bindPiece(
    parameter: HostTensor,
    gradient: HostTensor,
    piece: Piece,
    states: Readonly<Record<string, HostTensor>>,
  ): Binding {
    const inPlace = { parameter: pieceOf(parameter, piece), ...states };
    const scalars = this.#scalars[parameter.shape.length > 1 ? 0 : 1]!;
    return this.program.bind({ ...inPlace, gradient: pieceOf(gradient, piece), ...scalars }, prefixed("new_", inPlace));
  }
}
