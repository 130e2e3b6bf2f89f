/** @file Ways to tune side by side, each under the same memory and for the same time, at the best of some learning rates. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { TuneConfig } from "../../src/pipeline/tuning/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, plain } from "../bench.js";
import { megabytes } from "./step-shape.js";
import { runTuning, type TuneRunResult } from "./tune-run.js";

const BASE = "../shared/data/llm-stories260k/stories260K.bin";
const TEXT = "../shared/data/data-tinyshakespeare/input.txt";

/** Most memory of each process. */
const MEMORY = 330 * 2 ** 20;
/** Seconds of training that each run is given; its steps are as many as fit by a trial. */
const SECONDS = 6;
const CHARACTERS = 300_000;

/** Learning rates that are tried: of weights that know something, and of parameters that start at nothing. */
const weights = [5e-4, 2e-3, 5e-3];
const added = [2e-3, 1e-2, 3e-2];

interface Way {
  readonly config: Partial<TuneConfig>;
  readonly rates: readonly number[];
}

const ways: Readonly<Record<string, Way>> = {
  full: { config: { method: "full" }, rates: weights },
  "full, Lion": { config: { method: "full", optimizer: "lion" }, rates: weights.map((rate) => rate / 5) },
  "full, a quarter of the tokens": { config: { method: "full", selectedTokens: 0.25 }, rates: weights },
  "full, short rows first": { config: { method: "full", curriculum: { start: 32 } }, rates: weights },
  lomo: { config: { method: "full", algorithm: "lomo" }, rates: [0.03, 0.1, 0.3] },
  mezo: { config: { method: "full", algorithm: "mezo" }, rates: [1e-5, 5e-5, 2e-4] },
  lora: { config: { method: "lora" }, rates: added },
  rslora: { config: { method: "rslora" }, rates: added },
  dora: { config: { method: "dora" }, rates: added },
  "lora-fa": { config: { method: "lora-fa" }, rates: added },
  qlora: { config: { method: "qlora" }, rates: added },
  longlora: { config: { method: "longlora" }, rates: added },
  prefix: { config: { method: "prefix" }, rates: added },
  prompt: { config: { method: "prompt" }, rates: added.map((rate) => rate * 3) },
  ln: { config: { method: "ln" }, rates: added },
  "last-layers": { config: { method: "last-layers" }, rates: weights },
};

export const methodsSideBySide: Benchmark = {
  name: "methods",
  about: "held-out loss of Shakespeare from stories260K by way to tune, under equal memory and time",
  async run(context) {
    for (const path of [BASE, TEXT]) if (!existsSync(path)) throw new Error(`the methods benchmark needs ${path}`);
    const folder = mkdtempSync(join(tmpdir(), "tessera-methods-"));
    try {
      const data = join(folder, "shakespeare.txt");
      writeFileSync(data, readFileSync(TEXT, "utf8").slice(0, CHARACTERS));
      return await sideBySide(data, context);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Runs take turns on as many cores as there are, one thread each. */
async function sideBySide(data: string, { log, args }: BenchContext): Promise<Figure[]> {
  const seconds = Number(args[0] ?? SECONDS);
  const waiting = Object.entries(ways).flatMap(([name, { rates, config }]) =>
    rates.map((learningRate) => ({ name, config: { ...common(data), ...config, learningRate } })),
  );
  const best = new Map<string, TuneRunResult>();
  const worker = async (): Promise<void> => {
    for (let run = waiting.shift(); run; run = waiting.shift()) {
      const result = await timed(run.config, seconds);
      const { learningRate } = run.config;
      log(`  ${run.name} at ${learningRate}: ${loss(result).toFixed(3)} after ${result.summary.steps} steps`);
      const known = best.get(run.name);
      if (!known || loss(result) < loss(known)) best.set(run.name, result);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const full = best.get("full")!;
  return Object.keys(ways).flatMap((name) => {
    const result = best.get(name)!;
    const { summary, plan, memory, numTrainable } = result;
    return [
      compared(`${name}: held-out loss`, "nats", loss(result), { value: loss(full), name: "full" }),
      plain(`${name}: trained parameters`, "", numTrainable),
      plain(`${name}: peak`, "MB", megabytes(memory.measuredPeakBytes)),
      plain(`${name}: steps in ${seconds} s`, "", summary.steps),
      plain(`${name}: learning rate`, "", plan.learningRate),
    ];
  });
}

const common = (data: string) => ({
  base: BASE,
  data,
  format: "text" as const,
  length: 256,
  batchSize: 4,
  evaluations: 1,
  patience: null,
  samples: 0,
  merge: false,
  threads: 1,
  heldOut: 0.05,
});

/** A run of as many steps as fit the time by a trial of a few. */
async function timed(config: TuneConfig, seconds: number): Promise<TuneRunResult> {
  const trial = await runTuning({ config: { ...config, steps: 8 }, memoryBytes: MEMORY });
  const steps = Math.max(8, Math.round((1000 * seconds) / trial.plan.msPerStep));
  return runTuning({ config: { ...config, steps }, memoryBytes: MEMORY });
}

const loss = ({ summary }: TuneRunResult): number => summary.best?.loss ?? summary.after!;
