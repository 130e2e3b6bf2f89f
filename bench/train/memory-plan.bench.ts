/** @file The memory estimate beside the measured peak, on six configurations. */

import { type Benchmark, type Figure, plain } from "../bench.js";
import { benchModel, megabytes, runStep, type StepShape, threads } from "./step-shape.js";

const common = { ...benchModel, steps: 3, threads, method: "full", stream: false } as const;

/** Methods, policies, lengths and shapes that spread the memory differently. */
const configurations: Readonly<Record<string, StepShape>> = {
  "full, T=512, save all": { ...common, time: 512, save: "all" },
  "full, T=512, save inputs, streamed": { ...common, time: 512, save: "inputs", stream: true },
  "full, T=1024, save selective": { ...common, time: 1024, save: "selective" },
  "full, T=2048, save inputs": { ...common, time: 2048, save: "inputs", layers: 6 },
  "LoRA, T=1024, save selective": { ...common, time: 1024, save: "selective", method: "lora" },
  "full, T=256, batch 4, 4 layers, vocabulary 32768": {
    ...common,
    time: 256,
    batch: 4,
    layers: 4,
    vocab: 32_768,
    save: "all",
  },
};

export const memoryPlan: Benchmark = {
  name: "memory-plan",
  about: "predicted over measured peak memory of the process",
  async run({ log }) {
    const figures: Figure[] = [];
    for (const [name, shape] of Object.entries(configurations)) {
      const { predicted, peakBytes } = await runStep(shape);
      const ratio = predicted.total / peakBytes;
      log(
        `  ${name}: predicted ${megabytes(predicted.total).toFixed(0)} MB, measured ${megabytes(peakBytes).toFixed(0)} MB`,
      );
      const isClose = ratio >= 0.95 && ratio <= 1.15;
      figures.push({ ...plain(name, "predicted/measured", ratio), goal: 1, holds: isClose });
    }
    return figures;
  },
};
