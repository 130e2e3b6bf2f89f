/** @file The same tokens in short rows first, and in whole rows from the start: held-out loss, and the time that it takes. */

import type { LanguageModel } from "../../src/nn/index.js";
import type { Runtime } from "../../src/runtime/index.js";
import {
  curriculum as byScore,
  type PackedDataset,
  rowLosses,
  type TrainEvent,
  type TrainOptions,
  train,
} from "../../src/train/index.js";
import { type Benchmark, compared, type Figure } from "../bench.js";
import { tinyDecoder } from "../positions/tiny-decoder.js";
import {
  common,
  firstWeights,
  hasText,
  openRuntime,
  optionsOf,
  readCorpus,
  rowsOf,
  tinyShape,
} from "../positions/tiny-training.js";

const TIME = 1024;
const BATCH = 4;
const EVALUATIONS = 5;

type Options = Pick<TrainOptions, "lengthWarmup" | "order">;

/** One way to go through the text. */
interface Course {
  readonly name: string;
  options(run: { readonly steps: number; readonly scores: Float64Array }): Options;
}

interface Point {
  readonly step: number;
  readonly loss: number;
  /** Seconds of steps until then. */
  readonly seconds: number;
}

/** A run that is advanced event by event, so that several share good and bad minutes of a machine. */
class Run {
  readonly curve: Point[] = [];
  readonly #events: AsyncGenerator<TrainEvent>;
  #seconds = 0;

  constructor(
    readonly name: string,
    events: AsyncGenerator<TrainEvent>,
  ) {
    this.#events = events;
  }

  get seconds(): number {
    return this.#seconds;
  }

  /** Takes the next step; whether there was one. */
  async step(): Promise<boolean> {
    for (;;) {
      const start = performance.now();
      const { value, done } = await this.#events.next();
      if (done) return false;
      if (value.type === "step") {
        this.#seconds += (performance.now() - start) / 1000;
        return true;
      }
      if (value.type === "evaluation") {
        this.curve.push({ step: value.step, loss: value.loss, seconds: this.#seconds });
      }
    }
  }
}

function startOf(
  runtime: Runtime,
  model: LanguageModel,
  data: { readonly train: PackedDataset; readonly heldOut: PackedDataset },
  steps: number,
  options: Options,
): AsyncGenerator<TrainEvent> {
  const schedule = { name: "cosine", peak: 3e-3, warmupSteps: Math.ceil(steps / 20), finalShare: 0.1 } as const;
  return train({ runtime, model, parameters: firstWeights(model) }, data, {
    ...optionsOf(model, { steps, batchSize: BATCH, schedule, seed: 1 }),
    evaluateEvery: Math.ceil(steps / EVALUATIONS),
    ...options,
  });
}

const warmup = (start: number, share: number): Course => ({
  name: `from ${start} tokens over ${100 * share} % of the steps`,
  options: ({ steps }) => ({ lengthWarmup: { start, steps: Math.round(share * steps) } }),
});

const courses: Readonly<Record<string, Course>> = {
  short: warmup(128, 0.6),
  shorter: warmup(32, 0.6),
  longer: warmup(128, 0.8),
  easy: { name: "easy rows first, by loss", options: ({ scores }) => ({ order: byScore(scores) }) },
};

export const curriculum: Benchmark = {
  name: "curriculum",
  about: `a tiny decoder on rows of ${TIME} tokens: short rows first, and whole ones; arguments: steps, courses of ${Object.keys(courses).join(", ")}`,
  async run({ log, args: [asked = "150", ...chosen] }) {
    if (!hasText) {
      log("  ../shared/data/data-wikitext2 is absent: skipped");
      return [];
    }
    const steps = Number(asked);
    const { ids, heldOut } = readCorpus();
    await using runtime = await openRuntime();
    const model = tinyDecoder("rope", { ...tinyShape, time: TIME });
    const data = { train: rowsOf(ids, TIME), heldOut: rowsOf(heldOut.slice(0, 2 ** 15 + 1), TIME) };
    const keys = chosen.length > 0 ? chosen : ["short", "longer"];
    const unknown = keys.find((key) => !(key in courses));
    if (unknown !== undefined)
      throw new Error(`no course is called "${unknown}"; there are: ${Object.keys(courses).join(", ")}`);
    const { batchSize: _, ...shape } = common(model, 1);
    const scores = keys.includes("easy")
      ? await rowLosses(runtime, model, firstWeights(model), data.train, shape)
      : new Float64Array();
    const runs = [{ name: "whole rows", options: () => ({}) }, ...keys.map((key) => courses[key]!)].map(
      ({ name, options }) => new Run(name, startOf(runtime, model, data, steps, options({ steps, scores }))),
    );
    for (let step = 0; step < steps; step++) {
      for (const run of runs) await run.step();
      if (step % 10 === 9) log(`  step ${step + 1}: ${runs.map(({ seconds }) => seconds.toFixed(1)).join(", ")} s`);
    }
    // what remains is the last evaluation
    for (const run of runs) await run.step();
    for (const { name, curve } of runs) {
      log(`  ${name}: ${curve.map(({ seconds, loss }) => `${seconds.toFixed(0)} s ${loss.toFixed(3)}`).join(", ")}`);
    }
    return figuresOf(runs);
  },
};

/** Every course beside the first. */
function figuresOf([fixed, ...others]: readonly Run[]): Figure[] {
  const lossOf = (run: Run): number => run.curve.at(-1)!.loss;
  const peer = {
    loss: { value: lossOf(fixed!), name: fixed!.name },
    time: { value: fixed!.seconds, name: fixed!.name },
  };
  return others.flatMap((run) => [
    compared(`${run.name}: held-out loss`, "nats", lossOf(run), peer.loss, { atMost: 1 }),
    compared(`${run.name}: time`, "s", run.seconds, peer.time, { atMost: 0.8 }),
  ]);
}
