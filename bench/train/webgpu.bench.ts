/** @file A training step on WebGPU beside the same on the CPU, where there is an adapter. */

import { whyNoWebGpu } from "../../test/support/webgpu.js";
import { type Benchmark, compared, type Figure, median, plain } from "../bench.js";
import { benchModel, runStep, type StepResult, type StepShape, threads } from "./step-shape.js";

/** Processes are started in turns this often, so that a noisy minute falls on both. */
const ROUNDS = 3;

/** For adapters that are programs, which are slow. */
const SMALL = { layers: 2, hidden: 64, heads: 4, ffn: 128, vocab: 256, batch: 1, time: 32, steps: 4 } as const;
const USUAL = { ...benchModel, time: 512, steps: 12 } as const;

/** Median of the steps after the first, which compiles. */
const stepMs = ({ stepMs: [, ...rest] }: StepResult): number => median(rest);

export const webgpu: Benchmark = {
  name: "webgpu",
  about: "a training step on WebGPU, parameters staying on the device, beside the CPU's; `small` for slow adapters",
  async run({ log, args }) {
    const missing = whyNoWebGpu();
    if (missing !== undefined) {
      log(`no adapter: ${missing}`);
      return [];
    }
    const sizes = args.includes("small") ? SMALL : USUAL;
    const figures: Figure[] = [];
    for (const method of ["full", "lora"] as const) {
      const shape: StepShape = { ...sizes, method, threads, save: "all", stream: false };
      const [cpu, device]: [number[], number[]] = [[], []];
      let [cpuLoss, deviceLoss, firstMs] = [0, 0, 0];
      for (let round = 0; round < ROUNDS; round++) {
        const onCpu = await runStep(shape);
        const onDevice = await runStep({ ...shape, device: "webgpu" });
        cpu.push(stepMs(onCpu));
        device.push(stepMs(onDevice));
        [cpuLoss, deviceLoss, firstMs] = [onCpu.loss, onDevice.loss, onDevice.stepMs[0]!];
        log(`  ${method}: CPU ${cpu.at(-1)!.toFixed(1)} ms, WebGPU ${device.at(-1)!.toFixed(1)} ms a step`);
      }
      const label = (what: string): string => `T=${sizes.time} ${method}, ${what}`;
      figures.push(
        compared(label("step"), "ms", median(device), { value: median(cpu), name: "CPU" }),
        plain(label("first step, which compiles"), "ms", firstMs),
        compared(label("loss of the last step"), "nats", deviceLoss, { value: cpuLoss, name: "CPU" }),
      );
    }
    return figures;
  },
};
