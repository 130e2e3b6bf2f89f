/** @file Peak memory of ways to train all weights: gradients kept, a layer's at a time, none; beside inference. */

import { fileURLToPath } from "node:url";
import { type Benchmark, compared, type Figure, median, plain, runJson } from "../bench.js";
import { benchModel, megabytes, threads } from "./step-shape.js";

const ways = ["inference", "mezo", "lomo", "sgd", "adamw"] as const;

export interface AlgorithmRun {
  readonly way: (typeof ways)[number];
  readonly shape: typeof benchModel;
  readonly time: number;
  readonly steps: number;
  readonly threads: number;
}

export interface AlgorithmResult {
  readonly stepMs: readonly number[];
  readonly peakBytes: number;
  readonly predictedBytes: number;
}

const runWay = (run: AlgorithmRun): Promise<AlgorithmResult> => {
  const child = fileURLToPath(new URL("./algorithm-child.ts", import.meta.url));
  return runJson(process.execPath, ["--import", "tsx", child, JSON.stringify(run)]);
};

export const algorithmsMemory: Benchmark = {
  name: "algorithms",
  about: "52 million weights, 512 positions: peak memory of MeZO, LOMO, SGD and AdamW beside inference",
  async run({ log }) {
    const results = new Map<string, AlgorithmResult>();
    const figures: Figure[] = [];
    for (const way of ways) {
      const result = await runWay({ way, shape: benchModel, time: 512, steps: 4, threads });
      results.set(way, result);
      const [peak, predicted] = [megabytes(result.peakBytes), megabytes(result.predictedBytes)];
      const ms = median(result.stepMs);
      log(`  ${way}: ${peak.toFixed(0)} MB, predicted ${predicted.toFixed(0)} MB, ${ms.toFixed(0)} ms per step`);
      figures.push(plain(`${way}: predicted/measured`, "ratio", predicted / peak));
    }
    const peakOf = (way: string): number => megabytes(results.get(way)!.peakBytes);
    const beside = (way: string, peer: string, atMost?: number): Figure =>
      compared(
        `${way}: peak`,
        "MB",
        peakOf(way),
        { name: peer, value: peakOf(peer) },
        atMost === undefined ? undefined : { atMost },
      );
    return [beside("mezo", "inference", 1.1), beside("lomo", "sgd"), beside("lomo", "adamw"), ...figures];
  },
};
