import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenFamily } from "../../../test/support/golden-family.js";
import { tinyModel, tinyParameters } from "../../../test/support/tiny-model.js";
import { exactLogits } from "../../../test/support/whole-model.js";
import { type HostTensor, hostTensor } from "../../base/host-tensor.js";
import { Rng } from "../../base/rng.js";
import type { LanguageModel } from "../../nn/index.js";
import { Runtime } from "../../runtime/index.js";
import { cachePolicies, pagedPolicy } from "../cache/index.js";
import { Engine, type EngineOptions, type RequestOptions } from "../engine.js";
import { jsonSchemaConstraint, TokenTrie } from "../sampling/constraints/index.js";
import type { SampledToken } from "../sampling/sampler.js";
import type { GenerationEnd } from "../sequence.js";
import { Weights } from "../weights.js";
import { bild, draftModel, ngramLookup, type Speculation, speculations } from "./index.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

interface Answer {
  readonly tokens: readonly SampledToken[];
  readonly ids: readonly number[];
  readonly end: GenerationEnd;
}

async function answer(engine: Engine, prompt: readonly number[], options: RequestOptions = {}): Promise<Answer> {
  const tokens: SampledToken[] = [];
  const generation = engine.generate(prompt, options);
  for (;;) {
    const { value, done } = await generation.next();
    if (done) return { tokens, ids: tokens.map(({ id }) => id), end: value };
    tokens.push(value);
  }
}

type Parameters = ReadonlyMap<string, HostTensor>;

/** The same model with other weights nearby: it agrees often, not always. */
function nearby(parameters: Parameters, noise: number): Map<string, HostTensor> {
  const rng = new Rng(9);
  return new Map(
    [...parameters].map(([name, { shape, data }]) => {
      const moved = Float32Array.from(data as Float32Array, (x) => x * (1 + noise * rng.normal()));
      return [name, hostTensor("float32", shape, moved)];
    }),
  );
}

const weightsOf = (model: LanguageModel, parameters: Parameters): Weights => new Weights(model, parameters, "float32");

const draftOf = (model: LanguageModel, parameters: Parameters, noise: number): Speculation =>
  draftModel({ model, weights: weightsOf(model, nearby(parameters, noise)), tokens: 4, cost: 0.1 });

function prompts(count: number, vocabSize: number): number[][] {
  const rng = new Rng(4);
  return Array.from({ length: count }, (_, i) => Array.from({ length: 1 + 3 * i }, () => rng.below(vocabSize)));
}

const tiny = (seed = 1): { model: LanguageModel; parameters: Parameters } => {
  const model = tinyModel();
  return { model, parameters: tinyParameters(model, seed) };
};

async function tinyEngine(options: EngineOptions = {}): Promise<Engine> {
  const { model, parameters } = tiny();
  return Engine.create(runtime, model, weightsOf(model, parameters), options);
}

const tinyDraft = (noise: number): Speculation => {
  const { model, parameters } = tiny();
  return draftOf(model, parameters, noise);
};

const allowed = Object.entries(cachePolicies).filter(([, { noTruncation }]) => noTruncation === undefined);

it("names every way by its key", () => {
  const { model, parameters } = tiny();
  const options = { model, weights: weightsOf(model, parameters) };
  for (const [name, speculation] of Object.entries(speculations)) expect(speculation(options).name).toBe(name);
});

describe.each(allowed)("greedy texts over a %s cache", (_, cache) => {
  it.each(["llama", "gpt2", "gemma3_text", "phi3_switch"])(
    "are the same with proposals as without (%s)",
    async (family) => {
      const { model, parameters } = await goldenFamily(family);
      const weights = weightsOf(model, parameters);
      const options = { contextLength: Math.min(64, model.maxPositions), prefillTokens: 8, cache };
      const asked = prompts(5, model.vocabSize);
      const lengths = [30, 1, 2, 17, 60];
      await using plain = await Engine.create(runtime, model, weights, options);
      const expected = await Promise.all(asked.map((prompt, i) => answer(plain, prompt, { maxTokens: lengths[i]! })));
      for (const speculation of [
        draftOf(model, parameters, 0),
        draftOf(model, parameters, 0.3),
        ngramLookup({ min: 1 }),
      ]) {
        await using engine = await Engine.create(runtime, model, weights, { ...options, speculation });
        for (const [i, prompt] of asked.entries())
          expect((await answer(engine, prompt, { maxTokens: lengths[i]! })).ids, speculation.name).toEqual(
            expected[i]!.ids,
          );
        const together = await Promise.all(
          asked.map((prompt, i) => answer(engine, prompt, { maxTokens: lengths[i]! })),
        );
        expect(together.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
        expect(together.map(({ end }) => end.reason)).toEqual(expected.map(({ end }) => end.reason));
        const { speculation: counts, cache: usage } = engine.statistics;
        expect(counts.proposed).toBeGreaterThan(0);
        expect(usage.usedBytes).toBe(0);
      }
    },
  );
});

describe("proposals of a draft", () => {
  it("are all accepted where it is the model itself, for a quarter of the runs", async () => {
    await using engine = await tinyEngine({ speculation: tinyDraft(0) });
    const { ids } = await answer(engine, [1, 2], { maxTokens: 50 });
    const { proposed, accepted } = engine.statistics.speculation;
    expect(ids.length).toBe(50);
    expect(accepted).toBe(proposed);
    expect(accepted).toBeGreaterThan(35);
    await answer(engine, [1, 2], { maxTokens: 50, speculation: false });
    expect(engine.statistics.speculation).toEqual({ proposed, accepted });
  });

  it.each([1, 6])("leave sampled tokens distributed as without them, %i at once", async (maxSequences) => {
    const { model, parameters } = tiny();
    const options = { temperature: 0.8, topK: 3, frequencyPenalty: 1, maxTokens: 4, speculation: true };
    const seen = new Map<string, number>();
    const numTexts = 1500;
    // so far away that many proposals are refused
    await using engine = await tinyEngine({ maxSequences, speculation: draftOf(model, parameters, 0.08) });
    for (let start = 0; start < numTexts; start += maxSequences) {
      const seeds = Array.from({ length: maxSequences }, (_, i) => start + i);
      for (const { ids } of await Promise.all(seeds.map((seed) => answer(engine, [3, 5], { ...options, seed })))) {
        const key = ids.slice(0, 3).join();
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
    }
    const exact = textProbabilities(model, parameters, [3, 5], 3, options);
    let [chiSquare, cells] = [0, 0];
    for (const [text, p] of exact) {
      if (p * numTexts < 5) continue;
      chiSquare += ((seen.get(text) ?? 0) - p * numTexts) ** 2 / (p * numTexts);
      cells++;
    }
    for (const text of seen.keys()) expect(exact.has(text), text).toBe(true);
    const { proposed, accepted } = engine.statistics.speculation;
    expect(accepted / proposed).toBeGreaterThan(0.2);
    expect(accepted / proposed).toBeLessThan(0.9);
    expect(cells).toBeGreaterThan(10);
    // mean plus four standard deviations of chi-square
    expect(chiSquare).toBeLessThan(cells - 1 + 4 * Math.sqrt(2 * (cells - 1)));
  });

  it("are drawn and verified alike whoever runs beside, and when memory runs out", async () => {
    const cache = pagedPolicy({ blockTokens: 4 });
    await using alone = await tinyEngine({ speculation: tinyDraft(0.1), cache });
    await using crowded = await tinyEngine({
      speculation: tinyDraft(0.1),
      cache,
      cacheBytes: 80 * 256,
      lengths: { predict: () => 1, learn: () => {} },
    });
    const options = (seed: number): RequestOptions => ({
      temperature: 1,
      topP: 0.95,
      seed,
      maxTokens: 40,
      speculation: true,
    });
    const seeds = [1, 2, 3, 4, 5, 6];
    const together = await Promise.all(seeds.map((seed) => answer(crowded, [1, seed], options(seed))));
    expect(crowded.statistics.preemptions).toBeGreaterThan(0);
    for (const [i, seed] of seeds.entries())
      expect(together[i]!.ids).toEqual((await answer(alone, [1, seed], options(seed))).ids);
    expect(crowded.statistics.speculation).toEqual(alone.statistics.speculation);
    expect(crowded.statistics.cache.usedBlocks).toBe(0);
  });

  it("run beside requests that want none", async () => {
    await using plain = await tinyEngine();
    await using engine = await tinyEngine({ speculation: tinyDraft(0.2) });
    const asked = prompts(6, 11).map((prompt, i) => [prompt, { maxTokens: 20, speculation: i % 2 === 0 }] as const);
    const mixed = await Promise.all(asked.map(([prompt, options]) => answer(engine, prompt, options)));
    for (const [i, [prompt]] of asked.entries())
      expect(mixed[i]!.ids).toEqual((await answer(plain, prompt, { maxTokens: 20 })).ids);
  });
});

/** Probability of each text of `length` tokens under temperature, top-k and frequency penalty. */
function textProbabilities(
  model: LanguageModel,
  parameters: Parameters,
  prompt: readonly number[],
  length: number,
  options: { readonly temperature: number; readonly topK: number; readonly frequencyPenalty: number },
): Map<string, number> {
  let texts = new Map<string, { ids: number[]; p: number }>([["", { ids: [], p: 1 }]]);
  for (let i = 0; i < length; i++) {
    const longer: typeof texts = new Map();
    for (const { ids, p } of texts.values()) {
      const logits = [...exactLogits(model, parameters, [...prompt, ...ids]).at(-1)!];
      for (const id of ids) logits[id]! -= options.frequencyPenalty;
      const likely = logits
        .map((logit, id) => ({ id, logit }))
        .sort((a, b) => b.logit - a.logit)
        .slice(0, options.topK);
      const total = likely.reduce((sum, { logit }) => sum + Math.exp(logit / options.temperature), 0);
      for (const { id, logit } of likely) {
        const text = [...ids, id];
        longer.set(text.join(), { ids: text, p: (p * Math.exp(logit / options.temperature)) / total });
      }
    }
    texts = longer;
  }
  return new Map([...texts].map(([text, { p }]) => [text, p]));
}

describe.each([
  ["a draft", (): Speculation => tinyDraft(0.1)],
  ["n-gram lookup", (): Speculation => ngramLookup({ min: 1 })],
])("with %s a text", (_, speculation) => {
  it("ends where it would, at an id among accepted tokens or at the limit", async () => {
    await using plain = await tinyEngine();
    await using engine = await tinyEngine({ speculation: speculation() });
    const all = (await answer(plain, [1, 2])).ids;
    for (const id of new Set(all)) {
      const options = { stopIds: new Set([id]) };
      const [expected, stopped] = [await answer(plain, [1, 2], options), await answer(engine, [1, 2], options)];
      expect(stopped.ids).toEqual(expected.ids);
      expect(stopped.end.reason).toBe("stop");
    }
    for (let maxTokens = 0; maxTokens < 12; maxTokens++)
      expect((await answer(engine, [1, 2], { maxTokens })).ids).toEqual(all.slice(0, maxTokens));
    expect(await answer(engine, [1, 2])).toMatchObject({ ids: all, end: { reason: "context" } });
  });

  it("has the log-probabilities that it would have", async () => {
    await using plain = await tinyEngine();
    await using engine = await tinyEngine({ speculation: speculation() });
    const options = { maxTokens: 30, logprobs: 3, repetitionPenalty: 1.2, logitBias: new Map([[4, 2]]) };
    const expected = await answer(plain, [1, 2], options);
    const { tokens } = await answer(engine, [1, 2], options);
    for (const [i, { id, logprobs }] of tokens.entries()) {
      expect([id, logprobs!.top.map((top) => top.id)]).toEqual([
        expected.tokens[i]!.id,
        expected.tokens[i]!.logprobs!.top.map((top) => top.id),
      ]);
      expect(Math.abs(logprobs!.logprob - expected.tokens[i]!.logprobs!.logprob)).toBeLessThan(1e-4);
    }
  });

  it("keeps to its constraint", async () => {
    const bytes = [...'{}"a:[],120'].map((text) => new TextEncoder().encode(text));
    const items = { enum: [1, 2, 12, 120, 1202] };
    const a = { type: "array", items, minItems: 9, maxItems: 9 };
    const schema = { type: "object", properties: { a }, required: ["a"] } as const;
    const constraint = jsonSchemaConstraint(schema, new TokenTrie(bytes));
    await using plain = await tinyEngine();
    await using engine = await tinyEngine({ speculation: speculation() });
    const expected = await answer(plain, [1, 2], { constraint });
    expect((await answer(engine, [1, 2], { constraint })).ids).toEqual(expected.ids);
    for (const seed of [1, 2, 3]) {
      const { ids, end } = await answer(engine, [1, 2], { constraint, seed, temperature: 1 });
      const text = ids.map((id) => new TextDecoder().decode(bytes[id])).join("");
      expect(JSON.parse(text).a).toHaveLength(9);
      expect(end.reason).toBe("stop");
    }
    expect(engine.statistics.speculation.accepted).toBeGreaterThan(0);
  });
});

it("n-gram lookup gives a seed the tokens that it has without", async () => {
  await using plain = await tinyEngine();
  await using engine = await tinyEngine({ speculation: ngramLookup({ min: 1 }) });
  for (const seed of [1, 2, 3, 4]) {
    const options = { temperature: 0.5, seed, maxTokens: 50 };
    expect((await answer(engine, [1, 2], options)).ids).toEqual((await answer(plain, [1, 2], options)).ids);
  }
  expect(engine.statistics.speculation.accepted).toBeGreaterThan(0);
});

describe("BiLD", () => {
  /** The text with these thresholds, and the runs of the large model that it took. */
  async function text(thresholds: {
    fallback: number;
    rollback: number;
  }): Promise<{ ids: readonly number[]; runs: number }> {
    const { model, parameters } = tiny();
    const weights = weightsOf(model, nearby(parameters, 0.5));
    await using engine = await tinyEngine({
      speculation: bild({ model, weights, ...thresholds, tokens: 6, cost: 0.1 }),
    });
    const { ids } = await answer(engine, [1, 2], { maxTokens: 60 });
    return { ids, runs: 60 - engine.statistics.speculation.accepted };
  }

  it("gives the large model's text where it never trusts the small one", async () => {
    await using plain = await tinyEngine();
    const { ids } = await answer(plain, [1, 2], { maxTokens: 60 });
    expect((await text({ fallback: 0, rollback: 0 })).ids).toEqual(ids);
    expect(await text({ fallback: 1, rollback: 100 })).toEqual({ ids, runs: 60 });
  });

  it("runs the large model the less the more it trusts the small one", async () => {
    const runs: number[] = [];
    for (const rollback of [0, 0.5, 2, 100]) runs.push((await text({ fallback: 0, rollback })).runs);
    expect(runs).toEqual([...runs].sort((a, b) => b - a));
    expect(runs.at(-1)).toBeLessThan(15);
    const sure: number[] = [];
    for (const fallback of [1, 0.6, 0.3, 0]) sure.push((await text({ fallback, rollback: 100 })).runs);
    expect(sure).toEqual([...sure].sort((a, b) => b - a));
    expect(sure[2]).toBeLessThan(60);
  });

  it("says that it is not lossless, and what is wrong with its thresholds", () => {
    const { model, parameters } = tiny();
    const options = { model, weights: weightsOf(model, parameters) };
    expect(bild(options).isLossless).toBe(false);
    expect(() => bild({ ...options, fallback: 2 })).toThrow("fallback must be from 0 to 1, got 2");
    expect(() => bild({ ...options, rollback: -1 })).toThrow("rollback must be 0 or more, got -1");
    expect(() => bild({ ...options, tokens: 0 })).toThrow("tokens must be a whole number from 1, got 0");
  });
});

describe("speculation", () => {
  it("refuses a draft with another vocabulary, a cache that takes nothing back, and requests for what is not there", async () => {
    const model = tinyModel({ vocab_size: 12 });
    const other = draftModel({ model, weights: weightsOf(model, tinyParameters(model)) });
    await expect(tinyEngine({ speculation: other })).rejects.toThrow(
      "it has a vocabulary of 12 ids, the model that it is to speed up has 11",
    );
    const cache = cachePolicies["sinks-window"];
    await expect(tinyEngine({ speculation: ngramLookup(), cache, prefillTokens: 8 })).rejects.toThrow(
      "the sinks-window cache cannot take back what was proposed",
    );
    await using engine = await tinyEngine();
    await expect(answer(engine, [1], { speculation: true })).rejects.toThrow("the engine has none");
  });

  it("stops proposing where the draft's context ends", async () => {
    const { parameters } = tiny();
    const short = tinyModel({ max_position_embeddings: 20 });
    const speculation = draftModel({ model: short, weights: weightsOf(short, parameters) });
    await using plain = await tinyEngine();
    await using engine = await tinyEngine({ speculation });
    const [expected, { ids }] = [await answer(plain, [1, 2]), await answer(engine, [1, 2])];
    expect(ids).toEqual(expected.ids);
    expect(engine.statistics.speculation.proposed).toBeLessThanOrEqual(19);
  });
});

it("sampled texts speculate with a draft among others only for who asks", async () => {
  await using engine = await tinyEngine({ speculation: tinyDraft(0.01), maxSequences: 2 });
  const proposed = async (more: RequestOptions): Promise<number> => {
    const before = engine.statistics.speculation.proposed;
    await answer(engine, [1, 2], { maxTokens: 12, ...more });
    return engine.statistics.speculation.proposed - before;
  };
  expect(await proposed({ temperature: 1 })).toBe(0);
  expect(await proposed({ temperature: 1, speculation: true })).toBeGreaterThan(0);
  expect(await proposed({})).toBeGreaterThan(0);
});
