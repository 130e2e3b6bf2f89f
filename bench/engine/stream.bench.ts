/**
 * @file A text of 100,000 tokens through a cache of sinks and a window, beside recomputing the window for every token.
 *
 * StreamingLLM (Xiao et al. 2023, arXiv:2309.17453), section 4.1: the oracle of the cache is a sliding window that is computed anew
 * for each token. It costs a whole prompt per token, so it is run at every so many tokens, and both are compared there.
 */

import { Engine, sinksPolicy, Weights } from "../../src/engine/index.js";
import { forward } from "../../src/plan/index.js";
import type { LoadedModel } from "../../src/presets/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, plain } from "../bench.js";
import { hasStories, mean, scored, stories, storyModel } from "./stories.js";

const TOKENS = 100_000;
/** Rows of the cache, and tokens of the recomputed window: what the model was made for. */
const ROWS = 512;
/** Tokens between two that are compared. */
const STRIDE = 128;
const WINDOWS_AT_ONCE = 8;

interface Streamed {
  /** Of each token after the first, in nats. */
  readonly losses: readonly number[];
  readonly seconds: number;
  readonly cacheBytes: number;
  /** Resident memory after a tenth of the text, and its largest value from there on. */
  readonly early: number;
  readonly largest: number;
}

async function stream(
  runtime: Runtime,
  { model, parameters }: LoadedModel,
  ids: readonly number[],
  sinks: number,
  { log }: BenchContext,
): Promise<Streamed> {
  const weights = new Weights(model, parameters, "float32");
  const cache = sinksPolicy({ sinks });
  await using engine = await Engine.create(runtime, model, weights, { contextLength: ROWS, maxSequences: 1, cache });
  const losses: number[] = [];
  let [early, largest] = [0, 0];
  const start = performance.now();
  for await (const { logprob } of scored(engine, model.vocabSize, ids)) {
    losses.push(-logprob);
    if (losses.length % 1000 !== 0) continue;
    const { rss } = process.memoryUsage();
    if (losses.length * 10 === ids.length) early = rss;
    if (early > 0) largest = Math.max(largest, rss);
    if (losses.length % 10_000 === 0) log(`  ${losses.length} tokens, ${(rss / 2 ** 20).toFixed(0)} MB`);
  }
  const seconds = (performance.now() - start) / 1000;
  return { losses, seconds, cacheBytes: engine.statistics.cache.capacityBytes, early, largest };
}

/** Loss of `ids[at]` after the `ROWS` tokens before it, for each of `places`. */
async function recomputed(
  runtime: Runtime,
  { model, parameters }: LoadedModel,
  ids: readonly number[],
  places: readonly number[],
): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < places.length; i += WINDOWS_AT_ONCE) {
    const some = places.slice(i, i + WINDOWS_AT_ONCE);
    const windows = some.map((at) => ids.slice(at - ROWS, at));
    const { logits } = await forward(runtime, model, parameters, { ids: windows });
    for (const [j, at] of some.entries()) {
      const last = ((j + 1) * ROWS - 1) * model.vocabSize;
      const row = (logits.data as Float32Array).subarray(last, last + model.vocabSize);
      const top = Math.max(...row);
      losses.push(top + Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0)) - row[ids[at]!]!);
    }
  }
  return losses;
}

export const stream100k: Benchmark = {
  name: "stream",
  about: "100,000 tokens through a cache of sinks and a window: loss beside recomputing the window, and memory",
  async run(context) {
    if (!hasStories) {
      context.log("../shared/data is absent: skipped");
      return [];
    }
    const loaded = await storyModel();
    const once = stories(loaded).flat();
    const ids = Array.from({ length: Number(context.args[0] ?? TOKENS) }, (_, i) => once[i % once.length]!);
    await using runtime = await Runtime.open();
    const ours = await stream(runtime, loaded, ids, 4, context);
    context.log("no sinks, a fifth of the text");
    const without = await stream(runtime, loaded, ids.slice(0, ids.length / 5), 0, context);
    const places = Array.from({ length: Math.floor((ids.length - ROWS) / STRIDE) }, (_, i) => ROWS + i * STRIDE);
    context.log(`recomputing ${places.length} windows`);
    const start = performance.now();
    const oracle = await recomputed(runtime, loaded, ids, places);
    const perWindow = (performance.now() - start) / 1000 / places.length;
    const peer = { value: mean(oracle), name: "window recomputed" };
    const figures: Figure[] = [
      compared("loss", "nats/token", mean(places.map((at) => ours.losses[at - 1]!)), peer, { atMost: 1.05 }),
      compared("speed", "tokens/s", ids.length / ours.seconds, { value: 1 / perWindow, name: "window recomputed" }),
      plain("resident memory, largest over that at a tenth", "ratio", ours.largest / ours.early, { atMost: 1.05 }),
      plain("keys and values", "MB", ours.cacheBytes / 1e6),
    ];
    const early = ours.losses.slice(0, without.losses.length);
    return [
      ...figures,
      compared("loss without sinks", "nats/token", mean(without.losses), { value: mean(early), name: "4 sinks" }),
    ];
  },
};
