import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenFamily } from "../../../test/support/golden-family.js";
import { mergedUpdates, randomUpdates } from "../../../test/support/low-rank.js";
import { tinyModel, tinyParameters } from "../../../test/support/tiny-model.js";
import { hostTensor } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import type { LanguageModel, Parameters } from "../../nn/index.js";
import { Runtime } from "../../runtime/index.js";
import { cachePolicies, pagedPolicy } from "../cache/index.js";
import { Engine, type EngineOptions, type RequestOptions } from "../engine.js";
import type { SampledToken } from "../sampling/sampler.js";
import type { GenerationEnd } from "../sequence.js";
import { ngramLookup } from "../speculation/index.js";
import { type WeightFormat, Weights } from "../weights.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

interface Answer {
  readonly ids: readonly number[];
  readonly tokens: readonly SampledToken[];
  readonly end: GenerationEnd;
}

async function answer(engine: Engine, prompt: readonly number[], options: RequestOptions = {}): Promise<Answer> {
  const tokens: SampledToken[] = [];
  const source = engine.generate(prompt, { logprobs: 20, ...options });
  for (;;) {
    const { value, done } = await source.next();
    if (done) return { ids: tokens.map(({ id }) => id), tokens, end: value };
    tokens.push(value);
  }
}

interface Base {
  readonly model: LanguageModel;
  readonly parameters: Parameters;
}

const tiny = (): Base => {
  const model = tinyModel({ max_position_embeddings: 64 });
  return { model, parameters: tinyParameters(model) };
};

const open = ({ model, parameters }: Base, options: EngineOptions = {}, format: WeightFormat = "float32") =>
  Engine.create(runtime, model, new Weights(model, parameters, format), { adapters: {}, ...options });

const promptOf = (seed: number, length: number, vocabSize: number): number[] => {
  const rng = new Rng(seed);
  return Array.from({ length }, () => rng.below(vocabSize));
};

/** What the base with an adapter merged answers, in an engine of its own. */
async function mergedAnswer(
  base: Base,
  updates: ReturnType<typeof randomUpdates>,
  prompt: readonly number[],
  maxTokens: number,
  options: EngineOptions = {},
): Promise<Answer> {
  const parameters = mergedUpdates(base.model, base.parameters, updates);
  await using engine = await Engine.create(
    runtime,
    base.model,
    new Weights(base.model, parameters, "float32"),
    options,
  );
  return await answer(engine, prompt, { maxTokens });
}

/** Equal tokens, and log-probabilities that differ by roundings: the sum is W x + s B (A x) here and (W + s B A) x there. */
function expectSame(actual: Answer, expected: Answer, what: string): void {
  expect(actual.ids, what).toEqual(expected.ids);
  expect(worstChance(actual, expected), what).toBeLessThan(1e-4);
}

/** Largest difference of log-probabilities of the likeliest tokens, from the likeliest on. */
function worstChance(actual: Answer, expected: Answer): number {
  const chances = ({ tokens }: Answer) => tokens.flatMap(({ logprobs }) => logprobs!.top.map(({ logprob }) => logprob));
  const theirs = chances(expected);
  return Math.max(...chances(actual).map((value, i) => Math.abs(value - theirs[i]!)));
}

const none: ReturnType<typeof randomUpdates> = new Map();

const cases = Object.values(cachePolicies).flatMap((cache) =>
  // keys of learned positions cannot be moved
  ["llama", "gpt2"]
    .filter((family) => cache.name !== "sinks-window" || family !== "gpt2")
    .map((family) => ({ cache, family })),
);

describe.each(cases)("adapters over a $cache.name cache", ({ cache, family }) => {
  it(`run together on ${family} as each does merged, beside none`, async () => {
    const base = await goldenFamily(family);
    const options = { cache, contextLength: 96, prefillTokens: 8 };
    // keys of 255 levels depend on which rows a prompt's pieces read rounded, so tokens may differ where two are as likely
    const isRounded = cache.name === "int8-rows";
    const lengthOf = (i: number): number => (isRounded ? 1 : 24 - 3 * i);
    const queries = (name: string): boolean => /q_proj|c_attn/.test(name);
    const updates = {
      all: randomUpdates(base.model, { rank: 4, seed: 1 }),
      queries: randomUpdates(base.model, { rank: 7, seed: 2, of: queries }),
    };
    await using engine = await open(base, options);
    for (const [name, own] of Object.entries(updates)) engine.addAdapter(name, own);
    const asked = [undefined, "all", "queries", "all", undefined, "queries"] as const;
    const prompts = asked.map((_, i) => promptOf(i, 3 + 5 * i, base.model.vocabSize));
    const answers = await Promise.all(
      asked.map((adapter, i) => answer(engine, prompts[i]!, { maxTokens: lengthOf(i), ...(adapter && { adapter }) })),
    );
    for (const [i, adapter] of asked.entries()) {
      const own = adapter ? updates[adapter] : none;
      const expected = await mergedAnswer(base, own, prompts[i]!, lengthOf(i), options);
      if (isRounded) expect(worstChance(answers[i]!, expected)).toBeLessThan(0.1);
      else expectSame(answers[i]!, expected, `${i}: ${adapter}`);
    }
    // they differ, so that equality says something
    const [plain, other] = await Promise.all(
      [undefined, "all"].map((adapter) => answer(engine, prompts[5]!, { maxTokens: 8, ...(adapter && { adapter }) })),
    );
    expect(plain!.ids).not.toEqual(other!.ids);
  });
});

it.each(["int8", "int4"] as const)("stand beside weights of %s, in a batch as alone", async (format) => {
  const base = await goldenFamily("llama");
  const updates = [1, 2].map((seed) => randomUpdates(base.model, { rank: 4, seed }));
  await using engine = await open(base, {}, format);
  for (const [i, own] of updates.entries()) engine.addAdapter(`${i}`, own);
  const ask = (i: number) => answer(engine, promptOf(i, 10, 96), { maxTokens: 12, ...(i < 2 && { adapter: `${i}` }) });
  const together = await Promise.all([0, 1, 2].map(ask));
  const unpacked = new Weights(base.model, base.parameters, format).unpacked();
  for (const [i, { ids, tokens }] of together.entries()) {
    expect((await ask(i)).ids).toEqual(ids);
    // the kernel rounds activations to 8 bits, so only nearly what the values of the packed weights give
    const exact = await mergedAnswer({ ...base, parameters: unpacked }, updates[i] ?? none, promptOf(i, 10, 96), 1);
    const [ours, theirs] = [tokens, exact.tokens].map(([token]) => token!.logprobs!.top[0]!.logprob);
    expect(Math.abs(ours! - theirs!)).toBeLessThan(0.1);
  }
});

it("may be more than run at once, of many ranks, with memory that runs out", async () => {
  const base = tiny();
  const updates = Array.from({ length: 12 }, (_, i) => randomUpdates(base.model, { rank: 1 + (i % 5), seed: i }));
  await using engine = await open(base, {
    maxSequences: 3,
    cache: pagedPolicy({ blockTokens: 4 }),
    cacheBytes: 80 * 256,
    lengths: { predict: () => 1, learn: () => {} },
  });
  for (const [i, own] of updates.entries()) engine.addAdapter(`${i}`, own);
  const rng = new Rng(3);
  const asked = Array.from({ length: 30 }, (_, i) => ({ adapter: `${rng.below(12)}`, prompt: promptOf(i % 4, 9, 11) }));
  const answers = await Promise.all(
    asked.map(({ adapter, prompt }) => answer(engine, prompt, { adapter, maxTokens: 20 })),
  );
  for (const [i, { adapter, prompt }] of asked.entries())
    expectSame(answers[i]!, await mergedAnswer(base, updates[Number(adapter)]!, prompt, 20), `${i}: ${adapter}`);
  expect(engine.statistics.preemptions).toBeGreaterThan(0);
});

it("are followed where tokens are guessed ahead", async () => {
  const base = tiny();
  const updates = [1, 2].map((seed) => randomUpdates(base.model, { rank: 3, seed }));
  await using engine = await open(base, { speculation: ngramLookup({ tokens: 4 }) });
  for (const [i, own] of updates.entries()) engine.addAdapter(`${i}`, own);
  const prompt = [1, 2, 3, 1, 2, 3, 1, 2];
  const ask = (i: number) => answer(engine, prompt, { maxTokens: 30, ...(i < 2 && { adapter: `${i}` }) });
  const together = await Promise.all([0, 1, 2].map(ask));
  for (const [i, actual] of together.entries()) {
    const expected = await mergedAnswer(base, updates[i] ?? none, prompt, 30);
    expectSame(actual, expected, `${i} together`);
    expectSame(await ask(i), expected, `${i} alone`);
  }
  expect(engine.statistics.speculation.accepted).toBeGreaterThan(0);
});

it.each([cachePolicies.contiguous, pagedPolicy({ blockTokens: 4 })])(
  "share what is known of a text with none but themselves ($name)",
  async (cache) => {
    const base = tiny();
    const prompt = promptOf(1, 30, 11);
    await using engine = await open(base, { cache });
    const [first, second] = [1, 2].map((seed) => randomUpdates(base.model, { rank: 2, seed }));
    const cached = async (options: RequestOptions) => (await answer(engine, prompt, { maxTokens: 2, ...options })).end;
    engine.addAdapter("a", first!);
    engine.addAdapter("b", second!);
    for (const options of [{}, { adapter: "a" }, { adapter: "b" }]) {
      expect((await cached(options)).cachedTokens).toBe(0);
      expect((await cached(options)).cachedTokens).toBe(29);
    }
    // another adapter of the same name finds nothing of the first one's
    await engine.removeAdapter("a");
    engine.addAdapter("a", second!);
    const again = await answer(engine, prompt, { adapter: "a", maxTokens: 8 });
    expect(again.end.cachedTokens).toBe(0);
    expectSame(again, await mergedAnswer(base, second!, prompt, 8), "of the same name");
  },
);

it("come and go while others run, which they do not disturb", async () => {
  const base = tiny();
  const [first, second] = [1, 2].map((seed) => randomUpdates(base.model, { rank: 3, seed }));
  await using engine = await open(base);
  const prompt = [1, 2, 3];
  let isRemoved = false;
  const running = answer(engine, prompt, { maxTokens: 40 });
  engine.addAdapter("a", first!);
  const old = answer(engine, prompt, { adapter: "a", maxTokens: 30 });
  const untilGenerated = async (count: number): Promise<void> => {
    while (engine.statistics.generatedTokens < count) await new Promise(setImmediate);
  };
  await untilGenerated(10);
  const removed = engine.removeAdapter("a").then(() => {
    isRemoved = true;
  });
  expect(engine.adapters).toEqual([]);
  await expect(answer(engine, prompt, { adapter: "a" })).rejects.toThrow('no adapter "a"; none was added');
  engine.addAdapter("a", second!);
  const renewed = answer(engine, prompt, { adapter: "a", maxTokens: 20 });
  await untilGenerated(30);
  expect(isRemoved).toBe(false);
  expectSame(await old, await mergedAnswer(base, first!, prompt, 30), "the removed one");
  expectSame(await renewed, await mergedAnswer(base, second!, prompt, 20), "the one that has its name");
  expectSame(await running, await mergedAnswer(base, none, prompt, 40), "without");
  await removed;
  expect(engine.adapters).toEqual([{ name: "a", rank: 3, bytes: expect.any(Number) }]);
  await engine.removeAdapter("a");
});

it("cost nothing to remove while nobody has them, and leave with the engine", async () => {
  const base = tiny();
  const engine = await open(base);
  engine.addAdapter("a", randomUpdates(base.model, { rank: 1, seed: 1 }));
  engine.addAdapter("b", randomUpdates(base.model, { rank: 1, seed: 2 }));
  await engine.removeAdapter("a");
  const pending = answer(engine, [1], { adapter: "b" });
  const removed = engine.removeAdapter("b");
  await engine.close();
  await removed;
  expect((await pending).end.reason).toBe("aborted");
  expect(() => engine.addAdapter("a", new Map())).toThrow("closed");
});

it("keep to the maps that the engine was told", async () => {
  const base = tiny();
  const updates = (of: RegExp) => randomUpdates(base.model, { rank: 2, seed: 1, of: (name) => of.test(name) });
  await using engine = await open(base, { adapters: { targets: ["q_proj", "down_proj"], maxRank: 4 } });
  engine.addAdapter("a", updates(/(q|down)_proj$/));
  const actual = await answer(engine, [1, 2], { adapter: "a", maxTokens: 8 });
  expectSame(actual, await mergedAnswer(base, updates(/(q|down)_proj$/), [1, 2], 8), "targets");
  expect(() => engine.addAdapter("b", updates(/up_proj$/))).toThrow(
    'adapter "b" changes model.layers.0.mlp.up_proj, which takes no adapter here: the engine\'s targets are q_proj, down_proj',
  );
  expect(() => engine.addAdapter("b", randomUpdates(base.model, { rank: 5, seed: 1 }))).toThrow("at most 4");
  await expect(open(base, { adapters: { targets: ["w_proj"] } })).rejects.toThrow("is called w_proj");
  await expect(open(base, { adapters: { maxRank: 0 } })).rejects.toThrow("maxRank");
});

it("say what is wrong with them", async () => {
  const base = tiny();
  await using engine = await open(base);
  const updates = randomUpdates(base.model, { rank: 2, seed: 1 });
  engine.addAdapter("a", updates);
  expect(() => engine.addAdapter("a", updates)).toThrow('an adapter "a" already');
  expect(() => engine.addAdapter("", updates)).toThrow("name");
  expect(() => engine.addAdapter("b", new Map())).toThrow("changes nothing");
  const other = randomUpdates(tinyModel({ hidden_size: 32 }), { rank: 2, seed: 1 });
  expect(() => engine.addAdapter("b", other)).toThrow(
    'adapter "b" does not fit this base: model.layers.0.self_attn.q_proj takes matrices of [r, 16] and [16, r], got [2,32] and [32,2]',
  );
  const update = {
    down: hostTensor("float32", [1, 1], new Float32Array(1)),
    up: hostTensor("float32", [1, 1], new Float32Array(1)),
    scale: 1,
  };
  expect(() => engine.addAdapter("b", new Map([["lm_head", update]]))).toThrow("lm_head, which takes no adapter");
  await expect(answer(engine, [1], { adapter: "b" })).rejects.toThrow('there is no adapter "b"; there is a');
  await expect(engine.removeAdapter("b")).rejects.toThrow('there is no adapter "b"');
  await using without = await Engine.create(runtime, base.model, new Weights(base.model, base.parameters, "float32"));
  expect(() => without.addAdapter("a", updates)).toThrow("takes no adapters");
  await expect(answer(without, [1], { adapter: "a" })).rejects.toThrow("takes no adapters");
});

it("change the attention of a mixture of experts, not its experts", async () => {
  const base = await goldenFamily("mixtral");
  const attention = randomUpdates(base.model, { rank: 2, seed: 1, of: (name) => name.includes("self_attn") });
  await using engine = await open(base);
  engine.addAdapter("a", attention);
  const prompts = [4, 5].map((seed) => promptOf(seed, 12, 96));
  const [plain, adapted] = await Promise.all([
    answer(engine, prompts[0]!, { maxTokens: 8 }),
    answer(engine, prompts[1]!, { maxTokens: 8, adapter: "a" }),
  ]);
  expectSame(plain!, await mergedAnswer(base, none, prompts[0]!, 8), "without");
  expectSame(adapted!, await mergedAnswer(base, attention, prompts[1]!, 8), "with");
  const experts = randomUpdates(base.model, { rank: 2, seed: 1, of: (name) => name.includes("expert") });
  expect(experts.size).toBeGreaterThan(0);
  expect(() => engine.addAdapter("b", experts)).toThrow("merge the adapter into its base");
});
