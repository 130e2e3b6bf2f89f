/** @file What it saves and costs to keep hidden states and residuals in half precision between programs. */

import { type Benchmark, compared, type Figure, median } from "../bench.js";
import { benchModel, megabytes, runStep, type StepResult, type StepShape, threads } from "./step-shape.js";

/** Tokens of the one row, unless another number is given after the name. */
const TIME = 1024;
/** Processes are started in turns this often: peaks and processor times hardly depend on what else the machine does. */
const ROUNDS = 1;

const kept = ["float32", "bfloat16", "float16"] as const;

export const precision: Benchmark = {
  name: "precision",
  about:
    "a training step with hidden states and residuals in float32, bfloat16 and float16: peak memory and processor time",
  async run({ log, args }) {
    const time = args[0] === undefined ? TIME : Number(args[0]);
    const figures: Figure[] = [];
    for (const method of ["full", "lora"] as const) {
      const common: StepShape = { ...benchModel, time, steps: 2, threads, stream: false, method, save: "selective" };
      const results = new Map<string, StepResult[]>(kept.map((name) => [name, []]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const name of kept) {
          const result = await runStep({ ...common, precision: name });
          results.get(name)!.push(result);
          const [peak, predicted] = [result.peakBytes, result.predicted.total].map(megabytes);
          log(
            `  ${method} ${name}: ${result.cpuMs.toFixed(0)} ms of processor time a step, ${peak!.toFixed(0)} MB, predicted ${predicted!.toFixed(0)} MB`,
          );
        }
      }
      const peakOf = (name: string): number => median(results.get(name)!.map(({ peakBytes }) => megabytes(peakBytes)));
      const cpuOf = (name: string): number => median(results.get(name)!.map(({ cpuMs }) => cpuMs));
      for (const name of kept.slice(1)) {
        const beside = (value: number) => ({ value, name: "float32" });
        figures.push(compared(`${method}, ${name}: peak`, "MB", peakOf(name), beside(peakOf("float32"))));
        figures.push(compared(`${method}, ${name}: processor time`, "ms", cpuOf(name), beside(cpuOf("float32"))));
      }
    }
    return figures;
  },
};
