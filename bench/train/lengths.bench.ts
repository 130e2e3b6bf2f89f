/** @file Memory and speed of a LoRA step against the length of its rows, from 512 to 16,384 positions. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchContext, type Benchmark, compared, type Figure, median, plain } from "../bench.js";
import { megabytes, threads } from "./step-shape.js";
import { DATA, runOurs, type TuneResult, tokenizerFiles, writeCheckpoint, writeRows } from "./tune-step.js";

/** Layers of SmolLM2's width: each takes the same time, so the rates are those of all thirty. */
const LAYERS = 4;

const LENGTHS = [512, 1024, 2048, 4096, 8192, 16_384];

export const lengths: Benchmark = {
  name: "lengths",
  about: "LoRA on SmolLM2's width from 512 to 16,384 positions: peak memory, and operations per second",
  async run(context) {
    if (!existsSync(DATA)) throw new Error(`the lengths benchmark needs ${DATA}`);
    const folder = mkdtempSync(join(tmpdir(), "tessera-lengths-"));
    try {
      return await measured(folder, context);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function measured(folder: string, { log, args }: BenchContext): Promise<Figure[]> {
  const layers = Number(args[0] ?? LAYERS);
  const wanted = args.length > 1 ? args.slice(1).map(Number) : LENGTHS;
  const files = tokenizerFiles();
  const checkpoint = join(folder, "model");
  const adapter = await writeCheckpoint(checkpoint, files, layers);
  const results = new Map<number, TuneResult>();
  for (const time of wanted) {
    const rows = join(folder, `rows-${time}.json`);
    await writeRows(DATA, rows, files, time, 2);
    const result = await runOurs({
      folder: checkpoint,
      rows,
      adapter,
      method: "lora",
      config: { r: 8, lora_alpha: 16 },
      time,
      steps: time > 4096 ? 2 : 4,
      learningRate: 1e-3,
      threads,
      save: "inputs",
    });
    results.set(time, result);
    log(
      `  T=${time}: ${megabytes(result.peakBytes).toFixed(0)} MB, ${(rateOf(result) / 1e9).toFixed(1)} GFLOP/s, ${(median(result.stepMs.slice(1)) / 1000).toFixed(1)} s per step`,
    );
  }
  const [first, last] = [wanted[0]!, wanted.at(-1)!];
  const above = (time: number): number => results.get(time)!.peakBytes - results.get(time)!.baselineBytes;
  const figures = wanted.map((time) => plain(`T=${time}: peak`, "MB", megabytes(results.get(time)!.peakBytes)));
  if (wanted.length < 2) return figures;
  const slope = Math.log(above(last) / above(first)) / Math.log(last / first);
  const steepest = Math.max(
    ...wanted.slice(1).map((time, i) => Math.log2(above(time) / above(wanted[i]!)) / Math.log2(time / wanted[i]!)),
  );
  const peer = wanted.includes(2048) ? 2048 : first;
  return [
    ...figures,
    plain(`log-log slope of what the run adds to the process, T=${first} to ${last}`, "", slope, { atMost: 1.15 }),
    plain("the steepest of its parts", "", steepest, { atMost: 1.15 }),
    compared(
      `T=${last}: operations per second`,
      "GFLOP/s",
      rateOf(results.get(last)!) / 1e9,
      { name: `T=${peer}`, value: rateOf(results.get(peer)!) / 1e9 },
      { atLeast: 0.8 },
    ),
  ];
}

/** Operations per second of the matrix products that the graphs hold, at the median step. */
const rateOf = ({ flops, stepMs }: TuneResult): number => (1000 * flops) / median(stepMs.slice(1));
