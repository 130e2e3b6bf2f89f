import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { goldenFamily } from "../../test/support/golden-family.js";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { Rng } from "../base/rng.js";
import type { LanguageModel } from "../nn/index.js";
import { Runtime } from "../runtime/index.js";
import { type CachePolicy, cachePolicies, pagedPolicy } from "./cache/index.js";
import { Engine, type EngineOptions, type RequestOptions } from "./engine.js";
import { Generator } from "./generator.js";
import { longest, RecentLengths } from "./length-predictor.js";
import type { GenerationEnd } from "./sequence.js";
import { Weights } from "./weights.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

interface Answer {
  readonly ids: readonly number[];
  readonly end: GenerationEnd;
}

async function answer(engine: Engine, prompt: readonly number[], options: RequestOptions = {}): Promise<Answer> {
  const ids: number[] = [];
  const tokens = engine.generate(prompt, options);
  for (;;) {
    const { value, done } = await tokens.next();
    if (done) return { ids, end: value };
    ids.push(value.id);
  }
}

async function alone(generator: Generator, prompt: readonly number[], maxTokens: number): Promise<number[]> {
  const ids: number[] = [];
  for await (const id of generator.generate(Int32Array.from(prompt), { maxTokens })) ids.push(id);
  return ids;
}

/** Prompts of very different lengths. */
function prompts(count: number, vocabSize: number, longest: number, seed = 4): number[][] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, (_, i) => {
    const length = 1 + Math.floor(((longest - 1) * i) / Math.max(1, count - 1));
    return Array.from({ length }, () => rng.below(vocabSize));
  });
}

const tiny = (): { model: LanguageModel; weights: Weights } => {
  const model = tinyModel({ max_position_embeddings: 64 });
  return { model, weights: new Weights(model, tinyParameters(model), "float32") };
};

async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const { model, weights } = tiny();
  return Engine.create(runtime, model, weights, options);
}

const lossless: [string, CachePolicy][] = Object.entries(cachePolicies).filter(([, { isLossless }]) => isLossless);

it("names every policy by its key", () => {
  for (const [name, policy] of Object.entries(cachePolicies)) expect(policy.name).toBe(name);
});

describe.each(lossless)("an engine over a %s cache", (_, cache) => {
  it.each(["llama", "gemma3_text", "gpt2", "mixtral", "phi3_switch"])(
    "gives 8 requests of unequal length to %s the tokens that each gets alone",
    async (family) => {
      const { model, parameters } = await goldenFamily(family);
      const weights = new Weights(model, parameters, "float32");
      const contextLength = Math.min(64, model.maxPositions);
      const generator = await Generator.create(runtime, model, weights, { contextLength });
      await using engine = await Engine.create(runtime, model, weights, { contextLength, cache, prefillTokens: 8 });
      const asked = prompts(8, model.vocabSize, 30);
      const lengths = asked.map((__, i) => 6 + ((i * 5) % 17));
      const answers = await Promise.all(asked.map((prompt, i) => answer(engine, prompt, { maxTokens: lengths[i]! })));
      for (const [i, { ids, end }] of answers.entries()) {
        expect(ids, `request ${i}`).toEqual(await alone(generator, asked[i]!, lengths[i]!));
        expect(end).toMatchObject({ reason: "length", promptTokens: asked[i]!.length, generatedTokens: lengths[i]! });
      }
      expect(engine.statistics).toMatchObject({ waiting: 0, running: 0, finished: 8, cache: { usedBytes: 0 } });
    },
  );
});

/** Bytes that the keys and values of one token take in the tiny model: 2 layers, 2 heads of 4, padded to 8. */
const BYTES_PER_TOKEN = 2 * 2 * 2 * 8 * 4;

describe("Engine", () => {
  it.each([1, 2, 3, 4, 5, 6])("survives a random schedule with aborts and little memory (seed %i)", async (seed) => {
    const { model, weights } = tiny();
    const rng = new Rng(seed);
    const contextLength = 32 + rng.below(32);
    const generator = await Generator.create(runtime, model, weights, { contextLength });
    const cache = [pagedPolicy({ blockTokens: 1 + rng.below(6) }), cachePolicies.contiguous][rng.below(2)]!;
    await using engine = await Engine.create(runtime, model, weights, {
      contextLength,
      cache,
      cacheBytes: (contextLength + 6 + rng.below(2 * contextLength)) * BYTES_PER_TOKEN,
      maxSequences: 1 + rng.below(6),
      prefillTokens: 1 + rng.below(12),
      // too little room is left for what comes, so that places are lost again
      ...(seed % 2 === 0 && { lengths: { predict: () => 1, learn: () => {} } }),
    });
    const start = prompts(1, 11, 20, seed)[0]!;
    const requests = Array.from({ length: 16 }, async (_, i) => {
      const draw = new Rng(100 * seed + i);
      // most texts begin alike, to different lengths
      const own = Array.from({ length: 1 + draw.below(8) }, () => draw.below(11));
      const prompt = [...start.slice(0, draw.below(20)), ...own].slice(0, contextLength - 1);
      const maxTokens = 1 + draw.below(30);
      const leaveAfter = draw.below(3) === 0 ? draw.below(maxTokens + 1) : Number.POSITIVE_INFINITY;
      for (let wait = draw.below(40); wait > 0; wait--) await new Promise(setImmediate);
      const controller = new AbortController();
      if (leaveAfter === 0) setImmediate(() => controller.abort());
      const ids: number[] = [];
      for await (const { id } of engine.generate(prompt, { maxTokens, signal: controller.signal })) {
        ids.push(id);
        if (ids.length === leaveAfter) break;
      }
      const expected = await alone(generator, prompt, maxTokens);
      expect(ids).toEqual(expected.slice(0, ids.length));
      if (leaveAfter > 0) expect(ids.length).toBe(Math.min(expected.length, leaveAfter));
    });
    await Promise.all(requests);
    await vi.waitFor(() =>
      expect(engine.statistics).toMatchObject({ waiting: 0, running: 0, cache: { usedBytes: 0, usedBlocks: 0 } }),
    );
  });

  it("pre-empts the last who came when memory runs out, and loses nothing", async () => {
    const { model, weights } = tiny();
    const generator = await Generator.create(runtime, model, weights);
    await using engine = await openEngine({
      cache: pagedPolicy({ blockTokens: 4 }),
      cacheBytes: 72 * BYTES_PER_TOKEN,
      // guesses far too little, so that too many are admitted
      lengths: { predict: () => 1, learn: () => {} },
    });
    const asked = prompts(6, 11, 20);
    const ended: number[] = [];
    const answers = await Promise.all(
      asked.map(async (prompt, i) => {
        const result = await answer(engine, prompt, { maxTokens: 40 });
        ended.push(i);
        return result;
      }),
    );
    for (const [i, { ids }] of answers.entries()) expect(ids).toEqual(await alone(generator, asked[i]!, 40));
    expect(engine.statistics.preemptions).toBeGreaterThan(0);
    expect(ended[0]).toBe(0);
  });

  it.each([
    ["contiguous", cachePolicies.contiguous],
    ["paged", pagedPolicy({ blockTokens: 4 })],
  ])("computes a shared start once (%s)", async (_, cache) => {
    await using engine = await openEngine({ cache, prefillTokens: 16 });
    const system = prompts(1, 11, 40)[0]!
      .concat(prompts(2, 11, 40)[1]!)
      .slice(0, 41);
    const answers = await Promise.all(
      [...Array(8).keys()].map((id) => answer(engine, [...system, id], { maxTokens: 4 })),
    );
    // 41 + 1 tokens, then only each one's own last; 3 of the 4 generated tokens are computed on
    expect(engine.statistics.computedTokens).toBe(42 + 7 + 8 * 3);
    expect(answers.map(({ end }) => end.cachedTokens)).toEqual([0, ...Array<number>(7).fill(41)]);
  });

  it("holds the blocks of one prompt once for its samples", async () => {
    await using engine = await openEngine({ cache: pagedPolicy({ blockTokens: 4 }) });
    const prompt = prompts(2, 11, 40)[1]!; // 10 blocks
    const seen: number[] = [];
    const samples = [1, 2, 3, 4].map(async (seed) => {
      for await (const _ of engine.generate(prompt, { maxTokens: 3, temperature: 1, seed }))
        seen.push(engine.statistics.cache.usedBlocks);
    });
    await Promise.all(samples);
    // the last block is full but for the token that is computed for each, and is copied; each has one more for its text
    expect(Math.max(...seen)).toBeLessThanOrEqual(10 + 3 + 4);
    expect(engine.statistics.computedTokens).toBe(40 + 3 + 4 * 2);
  });

  it("runs more at once by guessing lengths than by leaving room for the longest", async () => {
    const ended: Record<string, { runs: number; ids: (readonly number[])[] }> = {};
    for (const [name, lengths] of Object.entries({ longest, recent: new RecentLengths({ first: 16 }) })) {
      await using engine = await openEngine({
        cache: pagedPolicy({ blockTokens: 4 }),
        cacheBytes: 136 * BYTES_PER_TOKEN,
        lengths,
      });
      let most = 0;
      // each could reach the end of the context, but ends at one of three ids
      const options = { temperature: 1, stopIds: new Set([1, 4, 7]) };
      const ids = await Promise.all(
        [...Array(16).keys()].map(async (seed) => {
          const text: number[] = [];
          for await (const { id } of engine.generate([seed % 11, 2, 3], { ...options, seed })) {
            text.push(id);
            most = Math.max(most, engine.statistics.running);
          }
          return text;
        }),
      );
      ended[name] = { runs: most, ids };
    }
    expect(ended.longest!.runs).toBe(2);
    expect(ended.recent!.runs).toBeGreaterThanOrEqual(4);
    expect(ended.recent!.ids).toEqual(ended.longest!.ids);
  });

  it("gives others a token between the pieces of a long prompt", async () => {
    await using engine = await openEngine({ prefillTokens: 4 });
    const order: string[] = [];
    let long: Promise<void> | undefined;
    const read = async (name: string, prompt: number[], maxTokens: number): Promise<void> => {
      for await (const _ of engine.generate(prompt, { maxTokens })) {
        order.push(name);
        long ??= read("long", prompts(2, 11, 48)[1]!, 2);
      }
    };
    await read("short", [1], 30);
    await long;
    // 12 pieces of 4 tokens, a token of the other after each but the last
    expect(order.indexOf("long")).toBeGreaterThanOrEqual(11);
  });

  it("frees what an aborted request held before the next run", async () => {
    await using engine = await openEngine({ cache: pagedPolicy({ blockTokens: 4 }) });
    const controller = new AbortController();
    const tokens = engine.generate([1, 2, 3], { signal: controller.signal });
    await tokens.next();
    controller.abort();
    let last = await tokens.next();
    while (!last.done) last = await tokens.next();
    expect(last.value.reason).toBe("aborted");
    await vi.waitFor(() => expect(engine.statistics).toMatchObject({ running: 0, cache: { usedBlocks: 0 } }));
    expect((await answer(engine, [1], { signal: controller.signal })).end.reason).toBe("aborted");
  });

  it("replays sampled texts by seed, whoever runs beside them", async () => {
    await using engine = await openEngine();
    const options = { temperature: 1, topK: 8, maxTokens: 12, logprobs: 2 };
    const first = await answer(engine, [1, 2], { ...options, seed: 7 });
    const [again, other] = await Promise.all([7, 8].map((seed) => answer(engine, [1, 2], { ...options, seed })));
    expect(again!.ids).toEqual(first.ids);
    expect(other!.ids).not.toEqual(first.ids);
  });

  it("says how a text ended", async () => {
    await using engine = await openEngine({ contextLength: 8 });
    const all = await answer(engine, [1, 2]);
    const rng = new Rng(0).state;
    expect(all.end).toEqual({ reason: "context", promptTokens: 2, cachedTokens: 0, generatedTokens: 7, rng });
    const stop = all.ids[2]!;
    const stopped = await answer(engine, [1, 2], { stopIds: new Set([stop]) });
    expect(stopped.ids).toEqual(all.ids.slice(0, all.ids.indexOf(stop)));
    expect(stopped.end).toMatchObject({ reason: "stop", cachedTokens: 1 });
    expect((await answer(engine, [1], { maxTokens: 0 })).end.reason).toBe("length");
  });

  it("names what is wrong with a request, and goes on", async () => {
    const engine = await openEngine({ contextLength: 8 });
    await expect(answer(engine, [])).rejects.toThrow("no tokens");
    await expect(answer(engine, new Array(8).fill(1))).rejects.toThrow("8 tokens, but the context holds 8");
    await expect(answer(engine, [11])).rejects.toThrow("token id 11 is outside the vocabulary of 11");
    await expect(answer(engine, [1], { temperature: -1 })).rejects.toThrow("temperature");
    await expect(answer(engine, [1], { maxTokens: 1.5 })).rejects.toThrow("maxTokens");
    const bannedIds = new Set(Array.from({ length: 11 }, (_, id) => id));
    await expect(answer(engine, [1], { bannedIds })).rejects.toThrow();
    expect((await answer(engine, [1], { maxTokens: 2 })).ids.length).toBe(2);
    await expect(openEngine({ maxSequences: 0 })).rejects.toThrow("maxSequences");
    for (const cache of Object.values(cachePolicies))
      await expect(openEngine({ cache, cacheBytes: 100, prefillTokens: 8 })).rejects.toThrow("cacheBytes is 100");
    await expect(openEngine({ contextLength: 2 ** 40, prefillTokens: 8 })).rejects.toThrow("cannot be had");
    const pending = answer(engine, [1]);
    await engine.close();
    expect((await pending).end.reason).toBe("aborted");
    await expect(answer(engine, [1])).rejects.toThrow("closed");
  });
});
