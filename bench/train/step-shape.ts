/** @file What the training benchmarks run in child processes, so that each has a peak memory of its own. */

import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { SavePolicy } from "../../src/graph/index.js";
import type { MemoryEstimate, Precision } from "../../src/plan/index.js";
import { median, runJson, runModule } from "../bench.js";

export interface StepShape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads?: number;
  readonly ffn: number;
  readonly vocab: number;
  readonly batch: number;
  readonly time: number;
  readonly steps: number;
  readonly threads: number;
  readonly method: "full" | "lora" | "qlora";
  readonly save: SavePolicy;
  /** Update each layer as soon as its gradients are there. */
  readonly stream: boolean;
  /** Of what lies between programs. Default float32. */
  readonly precision?: Precision;
  readonly attentionTile?: number;
  readonly lossRows?: number;
  /** Take the steps there, as one program over tensors that stay. Default: the CPU's plan. */
  readonly device?: "webgpu";
}

export interface StepResult {
  readonly stepMs: readonly number[];
  /** Processor time of a step, all threads together, the first step left out. */
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly baselineBytes: number;
  readonly loss: number;
  readonly predicted: MemoryEstimate;
}

/** The model of the train-step benchmark, about 52 million parameters. */
export const benchModel = { layers: 12, hidden: 576, heads: 9, ffn: 1536, vocab: 8192, batch: 1 } as const;

export const threads = availableParallelism();

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Runs our step in a process of its own. */
export function runStep(shape: StepShape): Promise<StepResult> {
  return runModule(path("./step-child.ts"), JSON.stringify(shape));
}

/** Runs PyTorch's step in a process of its own. */
export function runPeer(
  python: string,
  shape: Readonly<Record<string, number | string | boolean>>,
): Promise<Omit<StepResult, "predicted" | "cpuMs">> {
  return runJson(python, [path("../peers/train_step.py"), JSON.stringify(shape)]);
}

/** Tokens per second at the median step, the first one, which compiles and allocates, left out. */
export function tokensPerSecond(result: Pick<StepResult, "stepMs">, tokens: number): number {
  return (tokens * 1000) / median(result.stepMs.slice(1));
}

export const megabytes = (bytes: number): number => bytes / 2 ** 20;
