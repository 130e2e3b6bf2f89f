/** @file A training step beside PyTorch's: tokens per second and peak memory, with identical mathematics. */

import { type BenchContext, type Benchmark, compared, type Figure, median, plain } from "../bench.js";
import { benchModel, megabytes, runPeer, runStep, type StepShape, threads, tokensPerSecond } from "./step-shape.js";

/** Processes are started in turns this often, so that a noisy minute falls on all of them. */
const ROUNDS = 3;

interface Measured {
  readonly speed: number;
  readonly peak: number;
}

type Runner = () => Promise<{ readonly stepMs: readonly number[]; readonly peakBytes: number }>;

/** Median speed and peak of each runner over the rounds. */
async function measure(
  runners: Readonly<Record<string, Runner>>,
  tokens: number,
  { log }: BenchContext,
): Promise<Record<string, Measured>> {
  const seen: Record<string, Measured[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(runners)) {
      const result = await run();
      const measured = { speed: tokensPerSecond(result, tokens), peak: megabytes(result.peakBytes) };
      log(`  T ${tokens} ${name}: ${measured.speed.toFixed(0)} tokens/s, ${measured.peak.toFixed(0)} MB`);
      const list = seen[name] ?? [];
      list.push(measured);
      seen[name] = list;
    }
  }
  return Object.fromEntries(
    Object.entries(seen).map(([name, list]) => [
      name,
      { speed: median(list.map((m) => m.speed)), peak: median(list.map((m) => m.peak)) },
    ]),
  );
}

function runnersFor(time: number, steps: number, { peerPython }: BenchContext): Record<string, Runner> {
  const ours = (changes: Partial<StepShape>): Runner => {
    const shape = {
      ...benchModel,
      time,
      steps,
      threads,
      method: "full",
      save: "all",
      stream: false,
      ...changes,
    } as const;
    return () => runStep(shape);
  };
  const runners: Record<string, Runner> = {
    "save all": ours({}),
    "save selective": ours({ save: "selective" }),
    "save inputs": ours({ save: "inputs", stream: true, attentionTile: 128, lossRows: 128 }),
    lora: ours({ method: "lora", save: "selective" }),
  };
  if (peerPython) {
    for (const attention of ["eager", "sdpa"]) {
      const shape = { ...benchModel, time, steps, threads, attention };
      runners[`PyTorch ${attention}`] = () => runPeer(peerPython, shape);
    }
  }
  return runners;
}

export const trainStep: Benchmark = {
  name: "train-step",
  about: "forward, backward and AdamW of a 52 M parameter Llama in float32",
  async run(context) {
    const figures: Figure[] = [];
    for (const [time, steps] of [
      [512, 8],
      [2048, 4],
    ] as const) {
      const m = await measure(runnersFor(time, steps, context), time, context);
      const label = (what: string): string => `T=${time} ${what}`;
      for (const name of ["save all", "save selective", "save inputs", "lora"]) {
        figures.push(plain(label(`${name}, speed`), "tokens/s", m[name]!.speed));
        figures.push(plain(label(`${name}, peak`), "MB", m[name]!.peak));
      }
      const full = { value: m["save all"]!.speed, name: "ours, full training" };
      figures.push(compared(label("LoRA speed"), "tokens/s", m.lora!.speed, full, { atLeast: 1.4 }));
      figures.push(...(context.peerPython ? besidePyTorch(time, m) : []));
    }
    return figures;
  },
};

function besidePyTorch(time: number, m: Readonly<Record<string, Measured>>): Figure[] {
  const [eager, sdpa] = [m["PyTorch eager"]!, m["PyTorch sdpa"]!];
  const speed = (name: string, against: Measured, peer: string, atLeast: number): Figure =>
    compared(
      `T=${time} ${name}, speed`,
      "tokens/s",
      m[name]!.speed,
      { value: against.speed, name: `PyTorch ${peer}` },
      { atLeast },
    );
  const peak = (name: string, against: Measured, peer: string, atMost: number): Figure =>
    compared(
      `T=${time} ${name}, peak`,
      "MB",
      m[name]!.peak,
      { value: against.peak, name: `PyTorch ${peer}` },
      { atMost },
    );
  if (time === 512) {
    return [
      speed("save all", eager, "eager", 1.1),
      speed("save all", sdpa, "SDPA", 1.1),
      peak("save inputs", eager, "eager", 0.5),
      peak("save inputs", sdpa, "SDPA", 0.5),
      speed("save inputs", eager, "eager", 0.75),
      speed("save inputs", sdpa, "SDPA", 0.75),
    ];
  }
  return [speed("save selective", sdpa, "SDPA", 1), peak("save selective", sdpa, "SDPA", 1)];
}
