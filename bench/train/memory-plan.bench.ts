/** @file The memory estimate of a tuning run beside the measured peak of its process, on methods and lengths. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TuneConfig } from "../../src/pipeline/tuning/index.js";
import { type BenchContext, type Benchmark, type Figure, plain } from "../bench.js";
import { megabytes } from "./step-shape.js";
import { runTuning } from "./tune-run.js";
import { DATA, tokenizerFiles, writeCheckpoint } from "./tune-step.js";

/** Examples of the data: a run's time is that of its steps, not of its evaluations. */
const EXAMPLES = 80;

/** SmolLM2's width and vocabulary. */
const LAYERS = 4;

const lengths = [512, 2048] as const;

const ways: Readonly<Record<string, Partial<TuneConfig>>> = {
  full: { method: "full" },
  "full, 8-bit AdamW": { method: "full", optimizer: "adamw8bit" },
  "full, a quarter of the tokens": { method: "full", selectedTokens: 0.25 },
  "full, in files": { method: "full", paging: true },
  lomo: { method: "full", algorithm: "lomo" },
  mezo: { method: "full", algorithm: "mezo" },
  lora: { method: "lora" },
  "lora-fa": { method: "lora-fa" },
  qlora: { method: "qlora" },
  prefix: { method: "prefix" },
};

export const memoryPlan: Benchmark = {
  name: "memory-plan",
  about: "predicted over measured peak memory of tuning runs, 42 million weights",
  async run(context) {
    if (!existsSync(DATA)) throw new Error(`the memory-plan benchmark needs ${DATA}`);
    const folder = mkdtempSync(join(tmpdir(), "tessera-memory-plan-"));
    try {
      return await figuresOf(folder, context);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function figuresOf(folder: string, { log, args }: BenchContext): Promise<Figure[]> {
  const base = join(folder, "model");
  await writeCheckpoint(base, tokenizerFiles(), LAYERS);
  const data = join(folder, "examples.json");
  writeFileSync(data, JSON.stringify((JSON.parse(readFileSync(DATA, "utf8")) as object[]).slice(0, EXAMPLES)));
  const common = {
    base,
    data,
    overLong: "drop",
    batchSize: 1,
    steps: 3,
    evaluations: 1,
    samples: 0,
    merge: false,
  } as const;
  const figures: Figure[] = [];
  for (const [way, changes] of Object.entries(ways)) {
    if (args.length > 0 && !args.includes(way)) continue;
    for (const length of lengths) {
      const { memory, plan } = await runTuning({ config: { ...common, ...changes, length } });
      const ratio = memory.predictedBytes / memory.measuredPeakBytes;
      const parts = Object.entries(plan.memory).map(([name, bytes]) => `${name} ${megabytes(bytes).toFixed(0)}`);
      log(
        `  ${way}, T=${length}: predicted ${megabytes(memory.predictedBytes).toFixed(0)} MB, measured ${megabytes(memory.measuredPeakBytes).toFixed(0)} MB, ${ratio.toFixed(3)} (save ${plan.shape.save}; ${parts.join(", ")})`,
      );
      const isClose = ratio >= 0.95 && ratio <= 1.1;
      figures.push({ ...plain(`${way}, T=${length}`, "predicted/measured", ratio), goal: 1, holds: isClose });
    }
  }
  return figures;
}
