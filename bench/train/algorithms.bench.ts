/**
 * @file Peak memory of ways to train all weights: gradients kept, a layer's at a time, none; beside inference; and of a
 * quarter of the positions beside all of them.
 */

import { fileURLToPath } from "node:url";
import type { SavePolicy } from "../../src/graph/index.js";
import { type Benchmark, compared, type Figure, median, plain, runModule } from "../bench.js";
import { benchModel, megabytes, threads } from "./step-shape.js";

const ways = ["inference", "mezo", "lomo", "sgd", "adamw"] as const;

const ALL = "adamw at 2,048 positions";
const QUARTER = "adamw at a quarter of 2,048 positions";

export interface AlgorithmRun {
  readonly way: (typeof ways)[number];
  readonly shape: typeof benchModel;
  readonly time: number;
  readonly steps: number;
  readonly threads: number;
  readonly save: SavePolicy;
  /** Share of the positions that are differentiated. Default all. */
  readonly selectedTokens?: number;
}

export interface AlgorithmResult {
  readonly stepMs: readonly number[];
  readonly peakBytes: number;
  readonly predictedBytes: number;
}

const runWay = (run: AlgorithmRun): Promise<AlgorithmResult> => {
  const child = fileURLToPath(new URL("./algorithm-child.ts", import.meta.url));
  return runModule(child, JSON.stringify(run));
};

export const algorithmsMemory: Benchmark = {
  name: "algorithms",
  about:
    "52 million weights: peak memory of MeZO, LOMO, SGD and AdamW beside inference at 512 positions, of selected tokens beside all at 2,048",
  async run({ log }) {
    const results = new Map<string, AlgorithmResult>();
    const figures: Figure[] = [];
    const measure = async (name: string, run: Omit<AlgorithmRun, "shape" | "threads">): Promise<void> => {
      const result = await runWay({ ...run, shape: benchModel, threads });
      results.set(name, result);
      const [peak, predicted] = [megabytes(result.peakBytes), megabytes(result.predictedBytes)];
      const ms = median(result.stepMs);
      log(`  ${name}: ${peak.toFixed(0)} MB, predicted ${predicted.toFixed(0)} MB, ${ms.toFixed(0)} ms per step`);
      figures.push(plain(`${name}: predicted/measured`, "ratio", predicted / peak));
    };
    for (const way of ways) await measure(way, { way, time: 512, steps: 4, save: "inputs" });
    const long = { way: "adamw", time: 2048, steps: 2, save: "all" } as const;
    await measure(ALL, long);
    await measure(QUARTER, { ...long, selectedTokens: 0.25 });
    const peakOf = (way: string): number => megabytes(results.get(way)!.peakBytes);
    const beside = (way: string, peer: string, atMost?: number): Figure =>
      compared(
        `${way}: peak`,
        "MB",
        peakOf(way),
        { name: peer, value: peakOf(peer) },
        atMost === undefined ? undefined : { atMost },
      );
    const speedup = median(results.get(ALL)!.stepMs) / median(results.get(QUARTER)!.stepMs);
    return [
      beside("mezo", "inference", 1.1),
      beside("lomo", "sgd"),
      beside("lomo", "adamw"),
      beside(QUARTER, ALL),
      plain(`${QUARTER}: steps per step of ${ALL}`, "ratio", speedup),
      ...figures,
    ];
  },
};
