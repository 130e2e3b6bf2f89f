/** @file Adapters per request: what they cost while requests with different ones run together, and how fast they are swapped. */

import { hostTensor } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import { AdaptedLinears } from "../../src/engine/adapters/adapted-linears.js";
import { Adapters } from "../../src/engine/adapters/adapters.js";
import { contiguous } from "../../src/engine/cache/contiguous.js";
import { type AdapterUpdates, Engine } from "../../src/engine/index.js";
import { stepGraph } from "../../src/engine/step-graph.js";
import { type LanguageModel, layerSpecs, linearShape } from "../../src/nn/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, median, plain } from "../bench.js";
import { type BenchModel, benchModel, shape, threads } from "./shape.js";

/** Many short rounds: noise of the machine falls on all that a round compares. */
const ROUNDS = 15;
const REQUESTS = 8;
const PROMPT = 16;
const TEXT = 24;
const RANK = 8;
const SWAPS = 20;

/** An adapter of every linear map, or of those that a name ends with. */
function updatesOf(model: LanguageModel, seed: number, ends: RegExp = /./): AdapterUpdates {
  const rng = new Rng(seed);
  const matrix = (rows: number, columns: number) =>
    hostTensor(
      "float32",
      [rows, columns],
      Float32Array.from({ length: rows * columns }, () => rng.uniform() - 0.5),
    );
  const maps = layerSpecs(model).flatMap((spec) => {
    const linear = linearShape(spec);
    const name = spec.name.replace(/\.weight$/, "");
    return linear && ends.test(name) ? [{ name, ...linear }] : [];
  });
  return new Map(
    maps.map(({ name, inFeatures, outFeatures }) => [
      name,
      { down: matrix(RANK, inFeatures), up: matrix(outFeatures, RANK), scale: 0.01 },
    ]),
  );
}

/** Tokens per second of requests together, each with the adapter of its place. */
async function together(engine: Engine, round: number, adapterOf: (i: number) => string | undefined): Promise<number> {
  const requests = Array.from({ length: REQUESTS }, async (_, i) => {
    const rng = new Rng(1000 * round + i);
    const prompt = Array.from({ length: PROMPT }, () => rng.below(shape.vocab_size));
    const adapter = adapterOf(i);
    for await (const _token of engine.generate(prompt, { maxTokens: TEXT, ...(adapter && { adapter }) }));
  });
  const start = performance.now();
  await Promise.all(requests);
  return (REQUESTS * TEXT * 1000) / (performance.now() - start);
}

/** Milliseconds to bring an adapter to a row of the batch. */
function swapTime({ model, weights }: BenchModel, updates: readonly AdapterUpdates[]): number {
  const adapted = new AdaptedLinears(undefined);
  const sizes = { contextLength: 64, maxSequences: 1, prefillTokens: 64 };
  stepGraph(model, weights, contiguous.create(model, sizes).attention, adapted);
  const adapters = new Adapters(adapted, {});
  const [a, b] = updates.slice(0, 2).map((own, i) => {
    adapters.add(`${i}`, own);
    return adapters.get(`${i}`);
  });
  adapters.feedsOf([a, b]);
  const times = Array.from({ length: SWAPS }, (_, i) => {
    const start = performance.now();
    adapters.feedsOf(i % 2 === 0 ? [b, a] : [a, b]);
    return (performance.now() - start) / 2;
  });
  return median(times);
}

/** Tokens per second of every round. */
async function measured(bench: BenchModel, { log, args }: BenchContext): Promise<Record<string, number[]>> {
  const { model, weights } = bench;
  const options = { contextLength: 256, maxSequences: REQUESTS };
  await using runtime = await Runtime.open({ numThreads: threads });
  await using without = await Engine.create(runtime, model, weights, options);
  await using engine = await Engine.create(runtime, model, weights, { ...options, adapters: {} });
  const targets = ["q_proj", "v_proj"];
  await using small = await Engine.create(runtime, model, weights, { ...options, adapters: { targets } });
  for (let i = 0; i < REQUESTS; i++) {
    engine.addAdapter(`${i}`, updatesOf(model, i));
    small.addAdapter(`${i}`, updatesOf(model, i, /[qv]_proj$/));
  }
  const measures: Record<string, (round: number) => Promise<number>> = {
    without: (round) => together(without, round, () => undefined),
    unused: (round) => together(engine, round, () => undefined),
    same: (round) => together(engine, round, () => "0"),
    different: (round) => together(engine, round, String),
    "queries and values": (round) => together(small, round, String),
  };
  const seen: Record<string, number[]> = {};
  const rounds = Number(args[0] ?? ROUNDS);
  for (let round = 0; round <= rounds; round++) {
    for (const [name, measure] of Object.entries(measures)) {
      const value = await measure(round);
      log(`  ${name}: ${value.toFixed(1)} tokens/s`);
      // the first round prepares memory and code
      if (round > 0) seen[name] = [...(seen[name] ?? []), value];
    }
  }
  return seen;
}

export const adapters: Benchmark = {
  name: "adapters",
  about: "requests with adapters of their own in one batch, over a 134 M parameter Llama shape in 4 bits",
  async run(context) {
    const bench = benchModel();
    const speeds = await measured(bench, context);
    const without = speeds.without!;
    const against = (figure: string, key: string): Figure => ({
      ...compared(figure, "tokens/s", median(speeds[key]!), { value: median(without), name: "without adapters" }),
      ratio: median(speeds[key]!.map((speed, round) => speed / without[round]!)),
    });
    const updates = [0, 1].map((seed) => updatesOf(bench.model, seed));
    return [
      against("8 requests, none with an adapter", "unused"),
      against("8 requests, one adapter", "same"),
      against("8 requests, 8 adapters", "different"),
      against("8 requests, 8 adapters of queries and values", "queries and values"),
      plain("an adapter swapped in", "ms", swapTime(bench, updates), { atMost: 5 }),
    ];
  },
};
