/** @file What it saves and costs to keep hidden states and residuals in half precision between programs. */

import { type Benchmark, compared, type Figure, median } from "../bench.js";
import {
  benchModel,
  megabytes,
  runStep,
  type StepResult,
  type StepShape,
  threads,
  tokensPerSecond,
} from "./step-shape.js";

/** Tokens of the one row, unless another number is given after the name. */
const TIME = 1024;
/** Processes are started in turns this often. */
const ROUNDS = 2;

const kept = ["float32", "bfloat16", "float16"] as const;

export const precision: Benchmark = {
  name: "precision",
  about: "a training step with hidden states and residuals in float32, bfloat16 and float16: peak memory and speed",
  async run({ log, args }) {
    const time = args[0] === undefined ? TIME : Number(args[0]);
    const figures: Figure[] = [];
    for (const method of ["full", "lora"] as const) {
      const common: StepShape = { ...benchModel, time, steps: 3, threads, stream: false, method, save: "selective" };
      const results = new Map<string, StepResult[]>(kept.map((name) => [name, []]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const name of kept) {
          const result = await runStep({ ...common, precision: name });
          results.get(name)!.push(result);
          const [peak, predicted] = [result.peakBytes, result.predicted.total].map(megabytes);
          log(
            `  ${method} ${name}: ${tokensPerSecond(result, time).toFixed(0)} tokens/s, ${peak!.toFixed(0)} MB, predicted ${predicted!.toFixed(0)} MB`,
          );
        }
      }
      const peakOf = (name: string): number => median(results.get(name)!.map(({ peakBytes }) => megabytes(peakBytes)));
      const speedOf = (name: string): number =>
        median(results.get(name)!.map((result) => tokensPerSecond(result, time)));
      for (const name of kept.slice(1)) {
        const beside = (value: number) => ({ value, name: "float32" });
        figures.push(compared(`${method}, ${name}: peak`, "MB", peakOf(name), beside(peakOf("float32"))));
        figures.push(compared(`${method}, ${name}: speed`, "tokens/s", speedOf(name), beside(speedOf("float32"))));
      }
    }
    return figures;
  },
};
