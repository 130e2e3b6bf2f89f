/** @file Forward and backward over a chain of stages whose values may be read by many: gradients meet where values part. */

import { assert, ConfigError, TrainingError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { deriveSeed } from "../base/rng.js";
import { add, differentiate, type Graph, grad, input, type SavePolicy, scalar, type Tensor } from "../graph/index.js";
import type { Parameters } from "../nn/index.js";
import type { Binding, Runtime } from "../runtime/index.js";
import { bindNamed } from "./bind-named.js";
import { bufferFor, leavesOf, parameterNamed, type Stage } from "./stages.js";

export interface StagePlanOptions {
  readonly save: SavePolicy;
  readonly isTrainable: (name: string) => boolean;
  /** Where gradients go by parameter name, filled with what is missing: plans for several shapes can share one. */
  readonly gradients?: Map<string, HostTensor>;
}

/** Leaves whose names begin so hold seeds of dropout and are set by `run`. */
export const SEED = "seed.";

interface StageRuns {
  readonly forward: Binding;
  readonly backward: Binding | undefined;
  /** Adds to the gradients of parameters that are there. */
  readonly accumulate: Binding | undefined;
}

export interface StageRunOptions {
  /** Add to the gradients that are there instead of replacing them. Default false. */
  readonly accumulate?: boolean;
  /** Seed of the dropout masks. Default 0. */
  readonly seed?: number;
}

/** A training step over a chain, allocated and compiled. The last stage has one output, `loss`, a scalar. */
export class StagePlan {
  private constructor(
    /** Buffers of what is fed, by name: fill them before `run`. */
    readonly feeds: Readonly<Record<string, HostTensor>>,
    /** Gradients by parameter name. */
    readonly gradients: ReadonlyMap<string, HostTensor>,
    /** What the stages make, by name, as the last forward pass left it. */
    readonly values: ReadonlyMap<string, HostTensor>,
    private readonly runs: readonly StageRuns[],
    private readonly loss: HostTensor,
  ) {}

  /**
   * Allocates the buffers, compiles the programs and binds both. The parameters' memory is used as it is.
   * @throws ConfigError when nothing is trainable, or the last stage is no loss.
   */
  static async create(
    runtime: Runtime,
    stages: readonly Stage[],
    parameters: Parameters,
    options: StagePlanOptions,
  ): Promise<StagePlan> {
    const builder = new StagePlanBuilder(runtime, stages, parameters, options);
    const runs = await builder.build();
    return new StagePlan(Object.fromEntries(builder.leaves), builder.gradients, builder.values, runs, builder.loss);
  }

  /**
   * Forward and backward once. Returns the loss.
   * @throws TrainingError when it is not a number; gradients are of no use then.
   */
  async run(options: StageRunOptions = {}): Promise<number> {
    await this.forward(options);
    return this.backward(options);
  }

  /** All stages but the last, whose inputs are then in `values`. */
  async forward({ seed = 0 }: Pick<StageRunOptions, "seed"> = {}): Promise<void> {
    for (const [name, { data }] of Object.entries(this.feeds)) {
      if (name.startsWith(SEED)) data[0] = deriveSeed(seed, name) | 0;
    }
    for (const { forward } of this.runs.slice(0, -1)) await forward.run();
  }

  /** The last stage, then back through the others as the last `forward` left them. Returns the loss. */
  async backward({ accumulate = false }: Pick<StageRunOptions, "accumulate"> = {}): Promise<number> {
    const last = this.runs.at(-1)!;
    await ((accumulate && last.accumulate) || last.forward).run();
    const loss = Number(this.loss.data[0]);
    if (!Number.isFinite(loss)) throw new TrainingError(`the loss is ${loss}`);
    for (const { backward, accumulate: adding } of this.runs.slice(0, -1).reverse()) {
      await ((accumulate && adding) || backward)?.run();
    }
    return loss;
  }

  /** Frees the bindings; programs belong to the runtime. */
  close(): void {
    for (const runs of this.runs) for (const binding of Object.values(runs)) binding?.release();
  }
}

/** A stage with what it is differentiated by. */
interface Planned {
  readonly stage: Stage;
  /** Inputs that get gradients: parameters, and values that depend on parameters. */
  readonly wrt: readonly string[];
  readonly forward: Graph;
  readonly backward: Graph | undefined;
  readonly residuals: Readonly<Record<string, Tensor>>;
}

class StagePlanBuilder {
  readonly leaves: ReadonlyMap<string, HostTensor>;
  readonly gradients: Map<string, HostTensor>;
  readonly loss: HostTensor;
  readonly values: Map<string, HostTensor>;
  readonly #known = new Map<Graph, Map<string, Omit<Planned, "stage">>>();
  /** Variants of backward graphs that add to sums, by graph and the names of the sums. */
  readonly #adding = new Map<Graph, Map<string, Graph>>();

  constructor(
    readonly runtime: Runtime,
    readonly stages: readonly Stage[],
    readonly parameters: Parameters,
    readonly options: StagePlanOptions,
  ) {
    this.gradients = options.gradients ?? new Map<string, HostTensor>();
    this.leaves = new Map([...leavesOf(stages)].map(([name, aval]) => [name, bufferFor(aval)]));
    this.values = new Map(this.leaves);
    for (const { graph, outputs } of stages) {
      for (const [local, name] of Object.entries(outputs)) this.values.set(name, bufferFor(graph.outputs[local]!));
    }
    const last = stages.at(-1);
    if (!last || Object.keys(last.outputs).join() !== "loss") {
      throw new ConfigError("a training plan's last stage must have one output, loss");
    }
    this.loss = this.values.get(last.outputs.loss!)!;
  }

  async build(): Promise<StageRuns[]> {
    const planned = this.#plan();
    if (!planned.some(({ wrt }) => wrt.length > 0)) throw new ConfigError("no parameter of this network is trainable");
    const ofValues = new GradientBuffers();
    const written = new Set<string>();
    const runs: StageRuns[] = [];
    for (const part of [...planned].reverse()) {
      runs.unshift(await this.#bind(part, ofValues, written));
      for (const name of Object.values(part.stage.outputs)) ofValues.release(name);
    }
    return runs;
  }

  /** What each stage is differentiated by, from the first to the last. */
  #plan(): Planned[] {
    const depends = new Set<string>();
    return this.stages.map((stage, i) => {
      const { graph, parameters, inputs, outputs } = stage;
      const trainable = Object.keys(parameters).filter((local) => this.options.isTrainable(parameters[local]!));
      const wrt = [...Object.keys(inputs).filter((local) => depends.has(inputs[local]!)), ...trainable];
      if (wrt.length > 0) for (const name of Object.values(outputs)) depends.add(name);
      const byNames = this.#known.get(graph) ?? new Map<string, Omit<Planned, "stage">>();
      this.#known.set(graph, byNames);
      const isLast = i === this.stages.length - 1;
      const known = byNames.get(`${wrt}`) ?? (isLast ? fused(graph, wrt) : apart(graph, wrt, this.options.save));
      byNames.set(`${wrt}`, known);
      return { stage, ...known };
    });
  }

  async #bind(part: Planned, ofValues: GradientBuffers, written: Set<string>): Promise<StageRuns> {
    const { stage, wrt, forward, backward, residuals } = part;
    const all: Record<string, HostTensor> = this.#inputsOf(stage);
    for (const [local, name] of Object.entries(stage.outputs)) {
      all[local] = this.values.get(name)!;
      // a value that no gradient reaches: zeros of its own, which nothing writes
      all[`d_${local}`] = ofValues.find(name) ?? bufferFor(all[local]);
    }
    for (const [name, aval] of Object.entries(residuals)) all[name] = bufferFor(aval);
    const found = Object.keys((backward ?? forward).outputs).filter((name) => name.startsWith("d_"));
    const [again, sums]: [string[], string[]] = [[], []];
    const own = new Set<string>();
    for (const local of wrt.filter((name) => found.includes(`d_${name}`))) {
      const parameter = stage.parameters[local];
      const name = parameter ?? stage.inputs[local]!;
      const buffer = parameter ? this.#gradient(parameter) : ofValues.of(name, this.values.get(name)!);
      all[`d_${local}`] = buffer;
      all[`sum_${local}`] = buffer;
      const key = `${parameter ? "parameter" : "value"} ${name}`;
      // one program must not write a buffer that it reads a sum from by another name
      assert(!own.has(key), `stage "${stage.graph.name}" reads ${key} by two names`);
      own.add(key);
      if (written.has(key)) again.push(local);
      if (written.has(key) || parameter) sums.push(local);
      written.add(key);
    }
    const bind = async (graph: Graph): Promise<Binding> => bindNamed(await this.runtime.compile(graph), all);
    const target = backward ?? forward;
    const first = await bind(this.#withSums(target, again));
    const adding = sums.length > again.length ? await bind(this.#withSums(target, sums)) : undefined;
    // the last stage's forward graph holds its gradients
    if (!backward) return { forward: first, backward: undefined, accumulate: adding };
    return { forward: await bind(forward), backward: first, accumulate: adding };
  }

  #inputsOf({ parameters, inputs }: Stage): Record<string, HostTensor> {
    const weights = Object.entries(parameters).map(([local, name]) => [local, parameterNamed(this.parameters, name)]);
    const values = Object.entries(inputs).map(([local, name]) => [local, this.values.get(name)!]);
    return Object.fromEntries([...weights, ...values]) as Record<string, HostTensor>;
  }

  #gradient(name: string): HostTensor {
    const known = this.gradients.get(name);
    const { dtype, shape } = parameterNamed(this.parameters, name);
    const buffer = known ?? bufferFor({ dtype, shape });
    this.gradients.set(name, buffer);
    return buffer;
  }

  /** The graph with `sum_<name>` added to `d_<name>`, which may lie over it. */
  #withSums(graph: Graph, names: readonly string[]): Graph {
    if (names.length === 0) return graph;
    const variants = this.#adding.get(graph) ?? new Map<string, Graph>();
    this.#adding.set(graph, variants);
    const known = variants.get(`${names}`);
    if (known) return known;
    const sums = names.map((name) => {
      const { dtype, shape } = graph.outputs[`d_${name}`]!;
      return [name, input(`sum_${name}`, dtype, shape)] as const;
    });
    const variant: Graph = {
      name: `${graph.name}.sum`,
      inputs: { ...graph.inputs, ...Object.fromEntries(sums.map(([name, sum]) => [`sum_${name}`, sum])) },
      outputs: {
        ...graph.outputs,
        ...Object.fromEntries(sums.map(([name, sum]) => [`d_${name}`, add(graph.outputs[`d_${name}`]!, sum)])),
      },
    };
    variants.set(`${names}`, variant);
    return variant;
  }
}

function apart(graph: Graph, wrt: readonly string[], save: SavePolicy): Omit<Planned, "stage"> {
  const { forward, backward, residuals } = differentiate(graph, { wrt, save });
  return wrt.length === 0
    ? { wrt, forward: graph, backward: undefined, residuals: {} }
    : { wrt, forward, backward, residuals };
}

/** Loss and gradients in one graph: nothing of the last stage is computed twice or kept. */
function fused(graph: Graph, wrt: readonly string[]): Omit<Planned, "stage"> {
  const gradients = grad(
    [{ output: graph.outputs.loss!, cotangent: scalar(1) }],
    wrt.map((name) => graph.inputs[name]!),
  );
  const found = wrt.flatMap((name, i) => (gradients[i] ? [[`d_${name}`, gradients[i]] as const] : []));
  const outputs = { ...graph.outputs, ...Object.fromEntries(found) };
  return { wrt, forward: { ...graph, outputs }, backward: undefined, residuals: {} };
}

/** Gradients of values: a buffer is used again once the stage that made its value has had its turn. */
class GradientBuffers {
  readonly #inUse = new Map<string, HostTensor>();
  readonly #free: HostTensor[] = [];

  find(name: string): HostTensor | undefined {
    return this.#inUse.get(name);
  }

  of(name: string, value: HostTensor): HostTensor {
    const known = this.find(name);
    if (known) return known;
    const at = this.#free.findIndex(({ dtype, shape }) => dtype === value.dtype && `${shape}` === `${value.shape}`);
    const buffer = at >= 0 ? this.#free.splice(at, 1)[0]! : bufferFor(value);
    this.#inUse.set(name, buffer);
    return buffer;
  }

  release(name: string): void {
    const buffer = this.#inUse.get(name);
    if (!buffer) return;
    this.#inUse.delete(name);
    this.#free.push(buffer);
  }
}
