/** @file What the blocks of a paged cache hold: waste under a mixed load, a prompt shared by samples and by users. Counts, not times. */

import { Rng } from "../../src/base/rng.js";
import { cachePolicies } from "../../src/engine/cache/index.js";
import { Engine, type RequestOptions, Weights } from "../../src/engine/index.js";
import { llama } from "../../src/models/index.js";
import { initialize, parameterSpecs } from "../../src/nn/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { type Benchmark, plain } from "../bench.js";
import { mean } from "./stories.js";

/** Counts do not depend on the width. */
const shape = {
  vocab_size: 512,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  max_position_embeddings: 2048,
} as const;

const REQUESTS = 64;
const USERS = 8;
const SAMPLES = 4;

const randomIds = (rng: Rng, length: number): number[] => Array.from({ length }, () => rng.below(shape.vocab_size));

export const pagedMemory: Benchmark = {
  name: "paged-memory",
  about:
    "waste of a paged cache under a mixed load, blocks of a prompt with four samples, a system prompt of eight users",
  async run() {
    const model = llama(shape);
    const weights = new Weights(model, initialize(parameterSpecs(model), 1), "float32");
    await using runtime = await Runtime.open();
    const open = (): Promise<Engine> => Engine.create(runtime, model, weights, { cache: cachePolicies.paged });
    /** Runs requests together; gives the usage of the cache at each token. */
    const run = async (engine: Engine, requests: readonly (readonly [readonly number[], RequestOptions])[]) => {
      const seen: (typeof engine.statistics.cache)[] = [];
      const each = requests.map(async ([prompt, options]) => {
        for await (const _ of engine.generate(prompt, options)) seen.push(engine.statistics.cache);
      });
      await Promise.all(each);
      return seen;
    };

    await using mixed = await open();
    const rng = new Rng(1);
    const load = Array.from({ length: REQUESTS }, () => {
      return [randomIds(rng, 16 + rng.below(400)), { maxTokens: 24 + rng.below(168) }] as const;
    });
    const waste = (await run(mixed, load)).map((usage) => usage.waste);

    await using sampled = await open();
    const prompt = randomIds(rng, 512);
    const one = await run(sampled, [[prompt, { maxTokens: 16 }]]);
    const samples = Array.from(
      { length: SAMPLES },
      (_, seed) => [prompt, { maxTokens: 16, temperature: 1, seed }] as const,
    );
    const four = await run(sampled, samples);
    const most = (usages: typeof one): number => Math.max(...usages.map(({ usedBlocks }) => usedBlocks));

    await using shared = await open();
    const system = randomIds(rng, 1000);
    await run(
      shared,
      Array.from({ length: USERS }, () => [[...system, ...randomIds(rng, 8)], { maxTokens: 1 }] as const),
    );
    return [
      plain(`waste, ${REQUESTS} requests of unequal length, mean`, "share", mean(waste), { atMost: 0.04 }),
      plain("blocks of a prompt of 512 tokens and 16 more", "blocks", most(one)),
      plain(`blocks of ${SAMPLES} samples of it`, "blocks", most(four), { atMost: most(one) + 2 * (SAMPLES - 1) }),
      plain(
        `tokens computed for ${USERS} users, ${system.length} in common and 8 of their own`,
        "tokens",
        shared.statistics.computedTokens,
        {
          atMost: system.length + USERS * 8,
        },
      ),
    ];
  },
};
