import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { Rng } from "../base/rng.js";
import { Runtime } from "../runtime/index.js";
import { cachePolicies, pagedPolicy } from "./cache/index.js";
import { Engine, type EngineOptions } from "./engine.js";
import type { PromptIds } from "./prompt-stream.js";
import type { SampledToken } from "./sampling/sampler.js";
import type { GenerationEnd } from "./sequence.js";
import { Weights } from "./weights.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const model = tinyModel({ max_position_embeddings: 64 });
  return Engine.create(runtime, model, new Weights(model, tinyParameters(model), "float32"), options);
}

const rng = new Rng(3);
const text = Array.from({ length: 50 }, () => rng.below(11));

async function* inPieces(ids: readonly number[], sizes: () => number): AsyncGenerator<number[]> {
  for (let at = 0; at < ids.length; ) {
    const size = sizes();
    yield ids.slice(at, at + size);
    at += size;
    await new Promise(setImmediate);
  }
}

async function answer(engine: Engine, prompt: PromptIds, options = {}) {
  const tokens: SampledToken[] = [];
  const stream = engine.generate(prompt, { maxTokens: 10, logprobs: 0, ...options });
  let next = await stream.next();
  for (; !next.done; next = await stream.next()) tokens.push(next.value);
  const end: GenerationEnd = next.value;
  return { tokens, end };
}

describe("a prompt in pieces", () => {
  it.each([
    ["contiguous", cachePolicies.contiguous],
    ["paged", pagedPolicy({ blockTokens: 4 })],
    ["sinks", cachePolicies["sinks-window"]],
  ])("gives the bits of the whole prompt, however it is cut (%s)", async (_, cache) => {
    const open = () => openEngine({ cache, prefillTokens: 8, contextLength: 62 });
    await using engine = await open();
    const options = { temperature: 1, seed: 5, repetitionPenalty: 1.2 };
    const whole = await answer(engine, text, options);
    for (const seed of [1, 2, 3]) {
      const draw = new Rng(seed);
      await using other = await open();
      const streamed = await answer(
        other,
        inPieces(text, () => draw.below(12)),
        options,
      );
      expect(streamed).toEqual(whole);
      expect(other.statistics).toMatchObject({ computedTokens: 50 + 9, cache: { usedBytes: 0 } });
    }
  });

  it("is computed while it comes, and read no faster", async () => {
    await using engine = await openEngine({ prefillTokens: 8 });
    let asked = 0;
    let release = (): void => {};
    async function* source(): AsyncGenerator<number[]> {
      for (; asked < 4; asked++) yield text.slice(0, 9);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield [1, 2];
    }
    const result = answer(engine, source(), { maxTokens: 2 });
    await vi.waitFor(() => expect(asked).toBe(4));
    await vi.waitFor(() => expect(engine.statistics.computedTokens).toBe(32));
    // others do not wait for what is to come
    expect((await answer(engine, [1, 2], { maxTokens: 3 })).end.reason).toBe("length");
    release();
    expect((await result).end).toMatchObject({ reason: "length", promptTokens: 38, generatedTokens: 2 });
  });

  it("streams more than the context through a sinks cache", async () => {
    await using engine = await openEngine({
      cache: cachePolicies["sinks-window"],
      contextLength: 32,
      prefillTokens: 8,
    });
    const long = Array.from({ length: 400 }, () => rng.below(11));
    const { end } = await answer(
      engine,
      inPieces(long, () => 33),
    );
    expect(end).toMatchObject({ reason: "length", promptTokens: 400, generatedTokens: 10 });
  });

  it("says what is wrong with it, leaves the source and goes on", async () => {
    await using engine = await openEngine({ contextLength: 32, prefillTokens: 8 });
    const left = vi.fn();
    async function* endless(id = 1): AsyncGenerator<number[]> {
      try {
        for (;;) yield [id, id, id];
      } finally {
        left();
      }
    }
    await expect(answer(engine, endless())).rejects.toThrow("the prompt has 33 tokens, but the context holds 32");
    await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(1));
    await expect(answer(engine, endless(11))).rejects.toThrow("token id 11 is outside the vocabulary");
    await expect(
      answer(
        engine,
        inPieces([], () => 1),
      ),
    ).rejects.toThrow("no tokens");
    const broken = (async function* (): AsyncGenerator<number[]> {
      yield [1];
      throw new Error("the line is cut");
    })();
    await expect(answer(engine, broken)).rejects.toThrow("the line is cut");
    expect((await answer(engine, [1])).tokens).toHaveLength(10);
    expect(engine.statistics).toMatchObject({ running: 0, waiting: 0, cache: { usedBytes: 0 } });
  });

  it("frees its place when it is given up while nothing comes, and lets another in", async () => {
    await using engine = await openEngine({ maxSequences: 1, prefillTokens: 8 });
    const controller = new AbortController();
    const silent = (async function* (): AsyncGenerator<number[]> {
      yield [1, 2, 3];
      await new Promise(() => {});
    })();
    const given = answer(engine, silent, { signal: controller.signal });
    await vi.waitFor(() => expect(engine.statistics.running).toBe(1));
    const next = answer(engine, [1], { maxTokens: 2 });
    await vi.waitFor(() => expect(engine.statistics.waiting).toBe(1));
    controller.abort();
    expect((await given).end.reason).toBe("aborted");
    expect((await next).tokens).toHaveLength(2);
  });
});

describe("a text that is generated in several requests", () => {
  const sampling = { temperature: 0.9, topK: 8, frequencyPenalty: 0.5, presencePenalty: 0.3, repetitionPenalty: 1.1 };

  it("is the text of one request: random numbers, penalties and counts go on", async () => {
    await using engine = await openEngine({ prefillTokens: 8 });
    const whole = await answer(engine, text.slice(0, 5), { ...sampling, seed: 9, maxTokens: 40 });
    const ids: number[] = [];
    let seed: GenerationEnd["rng"] | number = 9;
    for (let block = 0; block < 5; block++) {
      const prompt = [...text.slice(0, 5), ...ids];
      const { tokens, end } = await answer(engine, prompt, { ...sampling, seed, written: ids.slice(), maxTokens: 8 });
      ids.push(...tokens.map(({ id }) => id));
      seed = end.rng!;
    }
    expect(ids).toEqual(whole.tokens.map(({ id }) => id));
  });

  it("gives equal bits, whoever computed its beginning, where only prompts may be taken over", async () => {
    const prompt = text.slice(0, 20);
    const asked = { ...sampling, seed: 2, maxTokens: 12, reusableTokens: 20 };
    await using engine = await openEngine({ prefillTokens: 8 });
    const first = await answer(engine, prompt, asked);
    const longer = [...prompt, ...first.tokens.map(({ id }) => id)];
    const goesOn = await answer(engine, longer, asked);
    // 20 tokens were prompt, of them two whole pieces
    expect(goesOn.end.cachedTokens).toBe(16);
    await using fresh = await openEngine({ prefillTokens: 8 });
    expect((await answer(fresh, longer, asked)).tokens).toEqual(goesOn.tokens);
    await expect(answer(engine, [1], { reusableTokens: -1 })).rejects.toThrow("reusableTokens");
  });
});
