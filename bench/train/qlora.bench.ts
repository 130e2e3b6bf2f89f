/** @file What frozen weights in NF4 take, what they cost in time, and what they do to the loss. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { frozenWeights, packFrozen } from "../../src/compress/index.js";
import { initialize } from "../../src/nn/index.js";
import { adapterSpecs, attach, createAdapter } from "../../src/peft/index.js";
import { loadModel } from "../../src/presets/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { adamw, packDocuments, type TrainSummary, train } from "../../src/train/index.js";
import { type Benchmark, compared, type Figure, median, plain } from "../bench.js";
import { benchModel, megabytes, runStep, type StepShape, threads, tokensPerSecond } from "./step-shape.js";

const TIME = 512;
/** Processes are started in turns this often. */
const ROUNDS = 2;

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const base = `${data}llm-stories260k/stories260K.bin`;
const text = `${data}data-tinyshakespeare/input.txt`;

export const qlora: Benchmark = {
  name: "qlora",
  about: "LoRA over frozen weights in NF4: memory, speed, and loss on Shakespeare from stories260K",
  async run({ log }) {
    const figures = await steps(log);
    if (existsSync(base)) figures.push(...(await losses(log)));
    else log("shared/data is absent: the losses are skipped");
    return figures;
  },
};

async function steps(log: (message: string) => void): Promise<Figure[]> {
  const common = { ...benchModel, time: TIME, steps: 4, threads, stream: false, save: "selective" } as const;
  const shapes: Readonly<Record<string, StepShape>> = {
    full: { ...common, method: "full", save: "all" },
    lora: { ...common, method: "lora" },
    qlora: { ...common, method: "qlora" },
    "qlora, save inputs": { ...common, method: "qlora", save: "inputs", attentionTile: 128, lossRows: 128 },
  };
  const seen = Object.fromEntries(Object.keys(shapes).map((name) => [name, { speed: [], peak: [], predicted: [] }]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, shape] of Object.entries(shapes)) {
      const result = await runStep(shape);
      const of = seen[name] as { speed: number[]; peak: number[]; predicted: number[] };
      of.speed.push(tokensPerSecond(result, TIME));
      of.peak.push(megabytes(result.peakBytes));
      of.predicted.push(megabytes(result.predicted.total));
      log(
        `  ${name}: ${of.speed.at(-1)!.toFixed(0)} tokens/s, ${of.peak.at(-1)!.toFixed(0)} MB, predicted ${of.predicted.at(-1)!.toFixed(0)} MB`,
      );
    }
  }
  const of = (name: string, what: "speed" | "peak"): number => median(seen[name]![what]);
  const full = { value: of("full", "peak"), name: "ours, full AdamW" };
  return [
    compared("peak", "MB", of("qlora", "peak"), full, { atMost: 0.3 }),
    compared("peak, save inputs", "MB", of("qlora, save inputs", "peak"), full, { atMost: 0.3 }),
    compared("peak beside LoRA", "MB", of("qlora", "peak"), { value: of("lora", "peak"), name: "ours, LoRA" }),
    compared("speed", "tokens/s", of("qlora", "speed"), { value: of("lora", "speed"), name: "ours, LoRA" }),
  ];
}

/** Held-out losses before and after 50 steps from trained weights, with frozen weights in float32 and in NF4. */
async function losses(log: (message: string) => void): Promise<Figure[]> {
  const loaded = await loadModel(base);
  const model = attach(loaded.model, createAdapter(loaded.model, { config: { r: 8, lora_alpha: 16 } }));
  const specs = adapterSpecs(loaded.model, model);
  const trained = new Set(specs.map(({ name }) => name));
  const isTrainable = (name: string): boolean => trained.has(name);
  const ids = loaded.tokenizer.encode(readFileSync(text, "utf8").slice(0, 200_000));
  const cut = Math.floor(ids.length * 0.9);
  const [training, heldOut] = [ids.subarray(0, cut), ids.subarray(cut, cut + 2 ** 13)];
  const frozen = frozenWeights(loaded.model, isTrainable, "nf4");
  const packed = packFrozen(loaded.parameters, frozen);
  const runtime = await Runtime.open({ numThreads: 1 });
  const run = async (isPacked: boolean): Promise<TrainSummary> => {
    const parameters = new Map([...(isPacked ? packed : loaded.parameters), ...initialize(specs, 1)]);
    const events = train(
      { runtime, model, parameters },
      { train: packDocuments([{ ids: training }], 256), heldOut: packDocuments([{ ids: heldOut }], 256) },
      {
        batchSize: 4,
        attentionTile: 256,
        lossTile: { rows: 1024, vocabulary: model.vocabSize },
        save: "all",
        isTrainable,
        ...(isPacked && { frozen }),
        streamGradients: false,
        steps: 50,
        accumulate: 1,
        optimizer: adamw(),
        weightDecay: 0,
        schedule: { name: "linear", peak: 1e-2, warmupSteps: 5, totalSteps: 50, finalShare: 0.1 },
        clipNorm: 1,
        seed: 1,
        evaluateEvery: 0,
        patience: null,
      },
    );
    for (;;) {
      const next = await events.next();
      if (next.done) return next.value;
    }
  };
  const [inFloat, inNf4] = [await run(false), await run(true)];
  await runtime.close();
  log(`  held-out loss: LoRA ${inFloat.before} to ${inFloat.after}, QLoRA ${inNf4.before} to ${inNf4.after}`);
  const bytes = [...packed].reduce((sum, [name, { data: values }]) => {
    const isPart = [...frozen.keys()].some((weight) => name === weight || name.startsWith(`${weight}.`));
    return isPart ? sum + values.byteLength : sum;
  }, 0);
  const count = [...frozen.keys()].reduce((sum, name) => sum + loaded.parameters.get(name)!.data.length, 0);
  return [
    plain("bytes per frozen parameter", "bytes", bytes / count, { atMost: 0.55 }),
    compared(
      "held-out loss after 50 steps",
      "nats",
      inNf4.after!,
      { value: inFloat.after!, name: "ours, LoRA" },
      { atMost: 1.01 },
    ),
  ];
}
