/** @file Multi-head attention converted to fewer key/value heads: what it costs, and what a short training gives back. */

import type { HostTensor } from "../../src/base/host-tensor.js";
import { Generator, Weights } from "../../src/engine/index.js";
import { groupKvHeads, llama, modelFromConfig } from "../../src/models/index.js";
import { initialize, type LanguageModel, type Parameters, parameterSpecs } from "../../src/nn/index.js";
import type { Runtime } from "../../src/runtime/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, median, plain } from "../bench.js";
import {
  type Corpus,
  firstWeights,
  hasText,
  openRuntime,
  perplexity,
  pretraining,
  readCorpus,
  rowsOf,
  type Training,
  tinyShape,
  trainTiny,
} from "./tiny-training.js";

const { vocabSize, hiddenSize, numLayers, numHeads, time } = tinyShape;

/** Shares of the training before: the paper's (section 3.2), and more, since 5% of a training as short as this is little. */
const SHARES = [0.05, 0.2] as const;

/** Small batches, so that there are steps enough for the averages to come apart, at a rate that suits them. */
function uptraining(share: number): Training {
  const batchSize = 2;
  const steps = Math.round((share * pretraining.steps * pretraining.batchSize) / batchSize);
  const schedule = { name: "linear", peak: pretraining.schedule.peak / 5, finalShare: 0.1 } as const;
  return { steps, batchSize, schedule: { ...schedule, warmupSteps: Math.round(steps / 10) }, seed: 2 };
}

const sizes = {
  num_hidden_layers: numLayers,
  num_attention_heads: numHeads,
  tie_word_embeddings: true,
  vocab_size: vocabSize,
};

const copied = (parameters: Parameters): Map<string, HostTensor> =>
  new Map([...parameters].map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data: data.slice() }]));

async function quality(runtime: Runtime, { ids, heldOut }: Corpus, log: BenchContext["log"]): Promise<Figure[]> {
  const model = llama({ ...sizes, hidden_size: hiddenSize, intermediate_size: 344, max_position_embeddings: time });
  const parameters = firstWeights(model);
  const rows = rowsOf(ids, time);
  const measure = (of: LanguageModel, with_: Parameters) => perplexity(runtime, of, with_, heldOut, time);
  await trainTiny(runtime, model, parameters, rows, pretraining);
  const before = await measure(model, parameters);
  log(`  ${numHeads} key/value heads: ${before.toFixed(2)}`);
  const figures = [plain(`${numHeads} key/value heads, before`, "perplexity", before)];
  // as many heads as before show what the further training does by itself
  for (const numKvHeads of [numHeads, numHeads / 2, 1]) {
    const heads = `${numKvHeads} of ${numHeads}`;
    const beside = (label: string, value: number, goal?: { readonly atMost: number }): void => {
      figures.push(compared(`${heads}, ${label}`, "perplexity", value, { value: before, name: "before" }, goal));
      log(`  ${heads}, ${label}: ${value.toFixed(2)}`);
    };
    const convert = () => groupKvHeads(model, copied(parameters), numKvHeads);
    const converted = modelFromConfig(convert().config);
    beside("converted", await measure(converted, convert().parameters));
    for (const share of SHARES) {
      const grouped = convert().parameters;
      await trainTiny(runtime, converted, grouped, rows, uptraining(share));
      const goal = share === SHARES[0] && numKvHeads === numHeads / 2 ? { atMost: 1.02 } : undefined;
      beside(`${100 * share}% more training`, await measure(converted, grouped), goal);
    }
  }
  return figures;
}

const CONTEXT = 2048;
const DECODED = 64;
const ROUNDS = 5;

/** Milliseconds of each token after the first, behind a prompt that nearly fills the context. */
async function decoded(generator: Generator): Promise<number[]> {
  const prompt = Int32Array.from({ length: CONTEXT - DECODED }, (_, i) => (i * 7919) % vocabSize);
  const times: number[] = [];
  for await (const _ of generator.generate(prompt, { maxTokens: DECODED })) times.push(performance.now());
  return times.slice(1).map((time_, i) => time_ - times[i]!);
}

/** Decoding of a wider model with as many key/value heads as heads, and with one. */
async function speed(runtime: Runtime, log: BenchContext["log"]): Promise<Figure[]> {
  const heads = 16;
  const wide = { ...sizes, hidden_size: 64 * heads, intermediate_size: 128 * heads, num_attention_heads: heads };
  const runs = await Promise.all(
    [heads, 1].map(async (numKvHeads) => {
      const model = llama({ ...wide, num_key_value_heads: numKvHeads, max_position_embeddings: CONTEXT });
      const weights = new Weights(model, initialize(parameterSpecs(model), 1), "int8");
      return { numKvHeads, generator: await Generator.create(runtime, model, weights), ms: [] as number[] };
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const { numKvHeads, generator, ms } of runs) {
      ms.push(median(await decoded(generator)));
      log(`  ${numKvHeads} key/value heads: ${ms.at(-1)!.toFixed(2)} ms a token`);
    }
  }
  const [many, one] = runs.map(({ ms }) => 1000 / median(ms)) as [number, number];
  const peer = { value: many, name: `${heads} heads` };
  return [compared(`decoding at ${CONTEXT} tokens, 1 of ${heads}`, "tokens/s", one, peer, { atLeast: 1 })];
}

export const groupedQueries: Benchmark = {
  name: "grouped-queries",
  about: "a tiny decoder with its key/value heads averaged and trained on; decoding with one of sixteen",
  async run({ log }) {
    await using runtime = await openRuntime();
    if (!hasText) log("  ../shared/data/data-wikitext2 is absent: only the speed is measured");
    return [...(hasText ? await quality(runtime, readCorpus(), log) : []), ...(await speed(runtime, log))];
  },
};
