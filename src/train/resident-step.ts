/** @file A training step in a device's memory: parameters and optimiser states stay there from step to step. */

import { UnsupportedError } from "../base/errors.js";
import { byteSize, type HostTensor, zeros } from "../base/host-tensor.js";
import { evaluateShape } from "../graph/index.js";
import { type LanguageModel, type Parameters, parameterSpecs } from "../nn/index.js";
import type { MicroBatch } from "../plan/index.js";
import type { BoundFeeds, DeviceMemory, DeviceTensor, Program, Runtime } from "../runtime/index.js";
import {
  batchFeeds,
  evaluationGraph,
  NEXT,
  progressFeeds,
  type StepGraphOptions,
  trainingStepGraph,
} from "./step-graph.js";

export interface ResidentResult {
  /** Mean loss over the batch's positions by their weights, in nats. */
  readonly loss: number;
  /** Length of the gradient before clipping. */
  readonly gradientNorm: number;
}

/** Where a step stands in a run. `step` counts those before it. */
export interface StepPlace {
  readonly step: number;
  readonly learningRate: number;
}

/**
 * Forward, backward, clipping and optimiser as one program over tensors of the device. What crosses the bus is a batch on
 * the way in, and loss and gradient length on the way out.
 */
export class ResidentStep {
  #evaluation: Program | undefined;

  private constructor(
    private readonly memory: DeviceMemory,
    private readonly program: Program,
    private readonly compileEvaluation: () => Promise<Program>,
    private readonly tensors: ReadonlyMap<string, DeviceTensor>,
    private readonly next: BoundFeeds,
  ) {}

  /**
   * Copies the parameters to the device; states are zero there.
   * @throws UnsupportedError when the runtime's device has no memory of its own, and what `trainingStepGraph` throws.
   */
  static async create(
    runtime: Runtime,
    model: LanguageModel,
    parameters: Parameters,
    options: StepGraphOptions,
  ): Promise<ResidentStep> {
    const step = trainingStepGraph(model, options);
    const { memory, name } = runtime.backend;
    if (!memory) {
      throw new UnsupportedError(
        `training on a device: the "${name}" backend has none with memory of its own; open "webgpu"`,
      );
    }
    const program = await runtime.compile(step);
    const evaluation = (): Promise<Program> => runtime.compile(evaluationGraph(model, options));
    const tensors = new Map<string, DeviceTensor>();
    const next = Object.keys(step.outputs).flatMap((output) => (output.startsWith(NEXT) ? [output] : []));
    const carried = next.map((output) => output.slice(NEXT.length));
    const names = new Set([...parameterSpecs(model).map((spec) => spec.name), ...carried]);
    for (const tensor of names) {
      const { dtype, shape } = step.inputs[tensor]!;
      tensors.set(tensor, memory.allocate(dtype, evaluateShape(shape, {})));
    }
    // each new value is written over the old one, which the graph allows
    const targets = Object.fromEntries(next.map((output, i) => [output, tensors.get(carried[i]!)!]));
    const created = new ResidentStep(memory, program, evaluation, tensors, targets);
    for (const [tensor, { dtype, shape }] of tensors) {
      await created.write(tensor, parameters.get(tensor) ?? zeros(dtype, shape));
    }
    return created;
  }

  /** Bytes of parameters and states on the device; activations and gradients come on top while a step runs. */
  get bytes(): number {
    return [...this.tensors.values()].reduce((sum, { dtype, shape }) => sum + byteSize(dtype, shape), 0);
  }

  async run(batch: MicroBatch, at: StepPlace): Promise<ResidentResult> {
    const [loss, gradientNorm] = [zeros("float32", []), zeros("float32", [])];
    const binding = this.program.bind(
      { ...batchFeeds(this.program.graph.inputs, batch), ...progressFeeds(at), ...Object.fromEntries(this.tensors) },
      { loss, gradient_norm: gradientNorm, ...this.next },
    );
    try {
      await binding.run();
    } finally {
      binding.release();
    }
    return { loss: Number(loss.data[0]), gradientNorm: Number(gradientNorm.data[0]) };
  }

  /** Σ weights · loss over a batch, without dropout, and nothing is changed. */
  async loss(batch: MicroBatch): Promise<number> {
    this.#evaluation ??= await this.compileEvaluation();
    const { inputs } = this.#evaluation.graph;
    const parameters = [...this.tensors].filter(([name]) => name in inputs);
    const loss = zeros("float32", []);
    const binding = this.#evaluation.bind(
      { ...batchFeeds(inputs, batch), ...Object.fromEntries(parameters) },
      { loss },
    );
    try {
      await binding.run();
    } finally {
      binding.release();
    }
    return Number(loss.data[0]);
  }

  /** Copies a parameter, or a state named `<state>.<parameter>`, from the device. */
  read(name: string, into: HostTensor): Promise<void> {
    return this.memory.read(this.tensors.get(name)!, into);
  }

  /** Copies one to the device. */
  write(name: string, from: HostTensor): Promise<void> {
    return this.memory.write(from, this.tensors.get(name)!);
  }

  /** Frees the device's tensors; programs belong to the runtime. */
  close(): void {
    for (const tensor of this.tensors.values()) tensor.release();
  }
}
