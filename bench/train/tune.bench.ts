/** @file Tuning beside PEFT and Transformers: speed, peak memory and loss curves on the same checkpoint and rows. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchContext, type Benchmark, compared, type Figure, median, plain } from "../bench.js";
import { megabytes, threads, tokensPerSecond } from "./step-shape.js";
import {
  DATA,
  runOurs,
  runPeft,
  type TuneResult,
  type TuneStep,
  tokenizerFiles,
  writeCheckpoint,
  writeRows,
} from "./tune-step.js";

/** Processes are started in turns this often, so that a noisy minute falls on all of them. */
const ROUNDS = 3;

/** Steps of the runs whose losses are compared. */
const CURVE = 20;

interface Case {
  readonly label: string;
  readonly step: TuneStep;
  readonly speed: number;
  readonly peak: number;
}

export const tune: Benchmark = {
  name: "tune",
  about: "SmolLM2-135M's shape on alpaca_en_demo: full and LoRA tuning beside Transformers and PEFT",
  async run(context) {
    if (!existsSync(DATA)) throw new Error(`the tune benchmark needs ${DATA}`);
    const folder = mkdtempSync(join(tmpdir(), "tessera-tune-"));
    try {
      const figures: Figure[] = [];
      for (const one of await cases(folder)) figures.push(...(await besidePeft(one, context)));
      return figures;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function cases(folder: string): Promise<Case[]> {
  const files = tokenizerFiles();
  const checkpoint = join(folder, "model");
  const adapter = await writeCheckpoint(checkpoint, files);
  const common = { folder: checkpoint, threads, learningRate: 1e-3, save: "selective" as const };
  const lora = { ...common, method: "lora", config: { r: 8, lora_alpha: 16 }, adapter };
  const rowsOf = async (time: number): Promise<string> => {
    const file = join(folder, `rows-${time}.json`);
    await writeRows(DATA, file, files, time, CURVE);
    return file;
  };
  const [short, long] = [await rowsOf(512), await rowsOf(2048)];
  return [
    { label: "LoRA T=512", step: { ...lora, rows: short, time: 512, steps: CURVE }, speed: 1.6, peak: 0.5 },
    {
      label: "LoRA T=2048",
      step: { ...lora, rows: long, time: 2048, steps: 4 },
      speed: 1.6,
      peak: 0.4,
    },
    {
      label: "full T=512",
      step: { ...common, method: "full", config: {}, rows: short, time: 512, steps: CURVE, learningRate: 2e-4 },
      speed: 1.2,
      peak: 0.8,
    },
  ];
}

async function besidePeft(
  { label, step, speed, peak }: Case,
  { log, peerPython, args }: BenchContext,
): Promise<Figure[]> {
  const ours: TuneResult[] = [];
  const peers: TuneResult[] = [];
  for (let round = 0; round < Number(args[0] ?? ROUNDS); round++) {
    const steps = round === 0 ? step.steps : 4;
    ours.push(noted(await runOurs({ ...step, steps }), "ours"));
    if (peerPython) peers.push(noted(await runPeft(peerPython, { ...step, steps }), "PEFT"));
  }
  const speedOf = (results: readonly TuneResult[]): number => median(results.map((r) => tokensPerSecond(r, step.time)));
  const peakOf = (results: readonly TuneResult[]): number => median(results.map((r) => megabytes(r.peakBytes)));
  if (peers.length === 0)
    return [plain(`${label}, speed`, "tokens/s", speedOf(ours)), plain(`${label}, peak`, "MB", peakOf(ours))];
  const name = step.method === "full" ? "Transformers" : "PEFT";
  return [
    compared(`${label}, speed`, "tokens/s", speedOf(ours), { value: speedOf(peers), name }, { atLeast: speed }),
    compared(`${label}, peak`, "MB", peakOf(ours), { value: peakOf(peers), name }, { atMost: peak }),
    plain(
      `${label}, largest difference of a loss over ${step.steps} steps`,
      "share",
      differenceOf(ours[0]!, peers[0]!),
      { atMost: 0.01 },
    ),
  ];

  function noted(result: TuneResult, who: string): TuneResult {
    const rate = tokensPerSecond(result, step.time).toFixed(0);
    log(
      `  ${label} ${who}: ${rate} tokens/s, ${megabytes(result.peakBytes).toFixed(0)} MB, loss ${result.losses.at(-1)!.toFixed(4)}`,
    );
    return result;
  }
}

/** Largest relative difference of two curves at a step. */
function differenceOf(a: TuneResult, b: TuneResult): number {
  return Math.max(...a.losses.map((loss, i) => Math.abs(loss - b.losses[i]!) / b.losses[i]!));
}
