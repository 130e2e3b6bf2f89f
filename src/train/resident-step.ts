/** @file A training step in a device's memory: parameters and optimiser states stay there from step to step. */

import { UnsupportedError } from "../base/errors.js";
import { byteSize, type HostTensor, zeros } from "../base/host-tensor.js";
import { evaluateShape } from "../graph/index.js";
import { type LanguageModel, type Parameters, parameterSpecs } from "../nn/index.js";
import type { MicroBatch } from "../plan/index.js";
import type { BoundFeeds, DeviceMemory, DeviceTensor, Program, Runtime } from "../runtime/index.js";
import { NEXT, type StepGraphOptions, stepFeeds, trainingStepGraph } from "./step-graph.js";

export interface ResidentResult {
  /** Mean loss over the batch's positions by their weights, in nats. */
  readonly loss: number;
  /** Length of the gradient before clipping. */
  readonly gradientNorm: number;
}

/**
 * Forward, backward, clipping and optimiser as one program over tensors of the device. What crosses the bus is a batch on
 * the way in, and loss and gradient length on the way out.
 */
export class ResidentStep {
  private constructor(
    private readonly memory: DeviceMemory,
    private readonly program: Program,
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
    const { memory, name } = runtime.backend;
    if (!memory) {
      throw new UnsupportedError(
        `training on a device: the "${name}" backend has none with memory of its own; open "webgpu"`,
      );
    }
    const step = trainingStepGraph(model, options);
    const program = await runtime.compile(step);
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
    const created = new ResidentStep(memory, program, tensors, targets);
    for (const [tensor, { dtype, shape }] of tensors) {
      await created.write(tensor, parameters.get(tensor) ?? zeros(dtype, shape));
    }
    return created;
  }

  /** Bytes of parameters and states on the device; activations and gradients come on top while a step runs. */
  get bytes(): number {
    return [...this.tensors.values()].reduce((sum, { dtype, shape }) => sum + byteSize(dtype, shape), 0);
  }

  /** One step, after `step` others. */
  async run(batch: MicroBatch, at: { readonly step: number; readonly learningRate: number }): Promise<ResidentResult> {
    const [loss, gradientNorm] = [zeros("float32", []), zeros("float32", [])];
    const binding = this.program.bind(
      { ...stepFeeds(this.program.graph.inputs, batch, at), ...Object.fromEntries(this.tensors) },
      { loss, gradient_norm: gradientNorm, ...this.next },
    );
    try {
      await binding.run();
    } finally {
      binding.release();
    }
    return { loss: Number(loss.data[0]), gradientNorm: Number(gradientNorm.data[0]) };
  }

  /** Copies a parameter, or a state named `<state>.<parameter>`, from the device. */
  read(name: string, into: HostTensor): Promise<void> {
    return this.memory.read(this.tensors.get(name)!, into);
  }

  /** Copies one to the device. */
  write(name: string, from: HostTensor): Promise<void> {
    return this.memory.write(from, this.tensors.get(name)!);
  }

  /** Frees the device's tensors; the program belongs to the runtime. */
  close(): void {
    for (const tensor of this.tensors.values()) tensor.release();
  }
}
