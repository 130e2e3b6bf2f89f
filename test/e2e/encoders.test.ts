/** @file Encoders and encoder-decoders learn: sentiment, masked words, strings backwards, phrases of French, alignments. */

import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { deriveSeed, type HostTensor, hostTensor, Rng } from "../../src/base/index.js";
import {
  type Aval,
  add,
  additiveAttention,
  constant,
  fullAttention,
  gather,
  graph,
  matmul,
  reshape,
  type Tensor,
} from "../../src/graph/index.js";
import { encoders, t5 } from "../../src/models/index.js";
import {
  decoderParameters,
  type EncoderDecoder,
  encoderParameters,
  initialize,
  type ParameterSpec,
  type Parameters,
} from "../../src/nn/index.js";
import { crossEntropyOfLogits } from "../../src/plan/encoder-heads.js";
import { EncoderDecoderGenerator, likeliest, predict, runStages, type Stage } from "../../src/plan/index.js";
import { type Feeds, Runtime } from "../../src/runtime/index.js";
import { JsonTokenizer, trainWordLevel } from "../../src/tokenizers/index.js";
import {
  adamw,
  labellingTask,
  padRows,
  type StageTrainWork,
  type TextPair,
  textToTextTask,
  trainStages,
} from "../../src/train/index.js";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** Ids of padding and of the end in every vocabulary here. */
const [PAD, END] = [0, 1];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());
afterEach(() => vi.restoreAllMocks());

interface Run {
  readonly stages: readonly Stage[];
  readonly parameters: Parameters;
  readonly batch: StageTrainWork["batch"];
  readonly steps: number;
  readonly peak: number;
}

/** Trains with AdamW down a linear schedule; gives the losses. */
async function learn({ stages, parameters, batch, steps, peak }: Run): Promise<number[]> {
  const schedule = { name: "linear", peak, warmupSteps: 20, totalSteps: steps, finalShare: 0.05 } as const;
  const options = { steps, optimizer: adamw(), schedule, clipNorm: 1, seed: 1 };
  const losses: number[] = [];
  for await (const event of trainStages({ runtime, stages, parameters }, { batch }, options)) {
    if (event.type === "step") losses.push(event.loss);
  }
  return losses;
}

const rngAt = (index: number): Rng => new Rng(deriveSeed(5, `batch ${index}`));
const someOf = <T>(items: readonly T[], count: number, index: number): T[] => {
  const rng = rngAt(index);
  return Array.from({ length: count }, () => items[rng.below(items.length)]!);
};
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
/** Parameters that several parts name are one. */
const started = (specs: readonly ParameterSpec[]) =>
  initialize([...new Map(specs.map((spec) => [spec.name, spec])).values()], 1);

describe("a BERT", () => {
  const sentences = JSON.parse(read("test/golden/sentiment/sentences.json")) as {
    readonly text: string;
    readonly label: string;
    readonly split: string;
  }[];
  const textsOf = (split: string): string[] => sentences.filter((s) => s.split === split).map(({ text }) => text);

  it("tells what is praised from what is not, as the guide shows, in sentences that it has not seen", async () => {
    const [seen, unseen] = [new Set(textsOf("train")), textsOf("heldOut")];
    expect([seen.size, unseen.length, unseen.filter((text) => seen.has(text)).length]).toEqual([84, 44, 0]);
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
    await import("../../examples/classify.js");
    const [before, after] = [lines[0], lines[3]].map((line) => Number(/([\d.]+) % of held-out/.exec(line!)![1]));
    expect(before).toBeLessThan(65);
    expect(after).toBeGreaterThanOrEqual(80);
    expect(lines.slice(4, 6).map((line) => line.split(":")[0])).toEqual(["positive", "negative"]);
    const nearest = sentences.find(({ text }) => lines[6]!.includes(text));
    expect(nearest).toMatchObject({ label: "positive", split: "train" });
    const guide = read("docs/guides/encoders.md");
    const source = read("examples/classify.ts");
    const shown = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!.trim());
    expect(shown.length).toBeGreaterThan(2);
    for (const code of shown) expect(source).toContain(code);
  });

  it("fills in words by what stands on both sides: French articles agree with their nouns", async () => {
    const { training, heldOut } = phrases();
    const special = ["[PAD]", "[UNK]", "[MASK]"];
    const texts = training.map(({ french }) => french);
    const tokenizer = new JsonTokenizer(await trainWordLevel(texts, { specialTokens: special, minFrequency: 1 }));
    const mask = special.indexOf("[MASK]");
    const time = 6;
    const { encoder, head: headOf } = encoders.bert({
      model_type: "bert",
      vocab_size: tokenizer.vocabSize,
      hidden_size: 32,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      intermediate_size: 64,
      max_position_embeddings: time,
      initializer_range: 0.1,
    });
    const head = headOf("masked-lm");
    const parameters = started([...encoderParameters(encoder), ...head.parameters]);
    /** One word is hidden and asked for. */
    const hide = (ids: ArrayLike<number>, hidden: number) => ({
      ids: Array.from(ids, (id, i) => (i === hidden ? mask : id)),
      labels: Array.from(ids, (id, i) => (i === hidden ? id : -1)),
    });
    const whole = texts.map((text) => tokenizer.encode(text));
    const task = labellingTask(encoder, head, { batch: 16, time });
    const batch = (index: number): Feeds => {
      const rng = new Rng(deriveSeed(6, `hidden words ${index}`));
      return task.feeds(someOf(whole, 16, index).map((ids) => hide(ids, rng.below(ids.length))));
    };
    await learn({ stages: task.stages, parameters, batch, steps: 250, peak: 3e-3 });

    const feminine = ["la", "une", "ma"];
    const asked = heldOut.map(({ french }) => hide(tokenizer.encode(french), 0).ids);
    const { data } = await predict(runtime, encoder, head, parameters, padRows(asked, time, PAD));
    const logits = data as Float32Array;
    const agreeing = heldOut.filter(({ french }, row) => {
      const start = row * time * head.numLabels;
      const first = hostTensor("float32", [1, head.numLabels], logits.subarray(start, start + head.numLabels));
      const guess = tokenizer.token(likeliest(first)[0]!)!;
      const isArticle = [...feminine, "le", "un", "mon"].includes(guess);
      return isArticle && feminine.includes(guess) === feminine.includes(french.split(" ")[0]!);
    });
    expect(agreeing.length / heldOut.length).toBeGreaterThanOrEqual(0.95);
  });
});

const parametersOf = (model: EncoderDecoder) =>
  started([...encoderParameters(model.encoder), ...decoderParameters(model.decoder)]);

const smallT5 = (vocabSize: number): EncoderDecoder =>
  t5({
    vocab_size: vocabSize,
    d_model: 48,
    d_kv: 12,
    d_ff: 96,
    num_layers: 2,
    num_heads: 4,
    dropout_rate: 0,
    pad_token_id: PAD,
    eos_token_id: END,
    relative_attention_max_distance: 32,
    feed_forward_proj: "gated-gelu",
    tie_word_embeddings: false,
  });

describe("a T5", () => {
  it("copies and reverses strings of digits that it has not seen", async () => {
    const [COPY, REVERSE, FIRST_DIGIT] = [2, 3, 4];
    const longest = 6;
    const model = smallT5(FIRST_DIGIT + 10);
    const parameters = parametersOf(model);
    const pair = (rng: Rng, isHeldOut: boolean): TextPair => {
      for (;;) {
        const digits = Array.from({ length: 3 + rng.below(longest - 2) }, () => FIRST_DIGIT + rng.below(10));
        if ((deriveSeed(0, `${digits}`) % 10 === 0) !== isHeldOut) continue;
        const isReversed = rng.below(2) === 1;
        return {
          source: [isReversed ? REVERSE : COPY, ...digits, END],
          target: [...(isReversed ? digits.toReversed() : digits), END],
        };
      }
    };
    const pairs = (count: number, rng: Rng, isHeldOut: boolean): TextPair[] =>
      Array.from({ length: count }, () => pair(rng, isHeldOut));
    const [time, targetTime] = [longest + 2, longest + 1];
    const task = textToTextTask(model, { batch: 32, time, targetTime });
    const batch = (index: number): Feeds => task.feeds(pairs(32, rngAt(index), false));
    await learn({ stages: task.stages, parameters, batch, steps: 700, peak: 5e-3 });

    const heldOut = pairs(300, new Rng(99), true);
    const generator = await EncoderDecoderGenerator.create(runtime, model, parameters);
    const sources = padRows(
      heldOut.map(({ source }) => source),
      time,
      PAD,
    );
    const written = await generator.generate(sources, { maxTokens: targetTime });
    const right = written.filter((ids, i) => `${[...ids, END]}` === `${heldOut[i]!.target}`).length;
    expect(right / heldOut.length).toBeGreaterThanOrEqual(0.99);
  });

  it("puts phrases into French that it has not seen in this combination", async () => {
    const { training, heldOut } = phrases();
    const seen = new Set(training.map(({ english }) => english));
    expect([training.length, heldOut.length, heldOut.filter(({ english }) => seen.has(english)).length]).toEqual([
      64, 40, 0,
    ]);
    const texts = training.flatMap(({ english, french }) => [english, french]);
    const special = ["[PAD]", "[END]", "[UNK]"];
    const tokenizer = new JsonTokenizer(await trainWordLevel(texts, { specialTokens: special, minFrequency: 1 }));
    const pairs = training.map(({ english, french }) => ({
      source: [...tokenizer.encode(english), END],
      target: [...tokenizer.encode(french), END],
    }));
    const model = smallT5(tokenizer.vocabSize);
    const parameters = parametersOf(model);
    const [time, targetTime] = [8, 8];
    const task = textToTextTask(model, { batch: 16, time, targetTime });
    const batch = (index: number): Feeds => task.feeds(someOf(pairs, 16, index));
    await learn({ stages: task.stages, parameters, batch, steps: 300, peak: 3e-3 });

    const generator = await EncoderDecoderGenerator.create(runtime, model, parameters);
    const sources = heldOut.map(({ english }) => [...tokenizer.encode(english), END]);
    const written = await generator.generate(padRows(sources, time, PAD), { maxTokens: targetTime });
    const score = bleu(
      written.map((ids) => tokenizer.decode(ids).split(" ")),
      heldOut.map(({ french }) => french.split(" ")),
    );
    expect(score).toBeGreaterThan(60);
  });
});

interface Phrase {
  readonly english: string;
  readonly french: string;
}

/** Article, noun, adjective and predicate, agreeing in French: 64 combinations to learn from, 40 others to be asked for. */
function phrases(): { training: Phrase[]; heldOut: Phrase[] } {
  const articles = [
    ["the", "le", "la"],
    ["a", "un", "une"],
    ["my", "mon", "ma"],
  ] as const;
  const nouns = [
    ["cat", "chat", 0],
    ["book", "livre", 0],
    ["garden", "jardin", 0],
    ["car", "voiture", 1],
    ["house", "maison", 1],
    ["table", "table", 1],
  ] as const;
  const adjectives = [
    ["green", "vert", "verte"],
    ["black", "noir", "noire"],
    ["white", "blanc", "blanche"],
    ["grey", "gris", "grise"],
  ] as const;
  const predicates = [
    ["is old", "est vieux", "est vieille"],
    ["is new", "est neuf", "est neuve"],
    ["is here", "est ici", "est ici"],
    ["is very big", "est très grand", "est très grande"],
  ] as const;
  const all = articles.flatMap((article) =>
    nouns.flatMap(([english, french, gender]) =>
      adjectives.flatMap((adjective) =>
        predicates.map((predicate) => ({
          english: `${article[0]} ${adjective[0]} ${english} ${predicate[0]}`,
          french: `${article[gender + 1]} ${french} ${adjective[gender + 1]} ${predicate[gender + 1]}`,
        })),
      ),
    ),
  );
  const shuffled = new Rng(4).shuffle(all);
  return { training: shuffled.slice(0, 64), heldOut: shuffled.slice(64, 104) };
}

/** BLEU of a corpus in percent: 1 to 4 words, one reference each (Papineni et al. 2002, section 2.3). */
function bleu(written: readonly (readonly string[])[], references: readonly (readonly string[])[]): number {
  const total = (texts: readonly (readonly string[])[]): number => texts.reduce((sum, { length }) => sum + length, 0);
  const logarithms = [1, 2, 3, 4].map((n) => {
    let [found, asked] = [0, 0];
    for (const [i, words] of written.entries()) {
      const left = ngrams(references[i]!, n);
      for (const gram of ngrams(words, n)) {
        asked++;
        const at = left.indexOf(gram);
        if (at >= 0) left.splice(at, 1);
        found += Number(at >= 0);
      }
    }
    return Math.log(found / asked);
  });
  const brevity = Math.min(0, 1 - total(references) / total(written));
  return 100 * Math.exp(brevity + logarithms.reduce((sum, value) => sum + value, 0) / 4);
}

const ngrams = (words: readonly string[], n: number): string[] =>
  words.slice(n - 1).map((_, i) => words.slice(i, i + n).join(" "));

it("BLEU is what its definition gives", () => {
  const words = "le chat noir est ici".split(" ");
  expect(bleu([words], [words])).toBeCloseTo(100);
  // 5 of 6 words, 3 of 5 pairs, 2 of 4 triples, 1 of 3 quadruples
  const other = "le chat noir est très grand".split(" ");
  const reference = "le chat noir est grand ici".split(" ");
  expect(bleu([other], [reference])).toBeCloseTo(100 * ((5 / 6) * (3 / 5) * (2 / 4) * (1 / 3)) ** 0.25, 5);
  expect(bleu([words.slice(0, 4)], [words])).toBeCloseTo(100 * Math.exp(1 - 5 / 4), 5);
});

describe("a decoder without recurrence that copies", () => {
  const [batchSize, time, width, vocabSize] = [32, 8, 24, 12];
  const spec = (name: string, ...shape: number[]): ParameterSpec => ({ name, shape, init: { std: 0.3 } });
  const specs = [
    spec("words", vocabSize, width),
    spec("places", time, width),
    spec("steps", time, width),
    spec("w_query", width, width),
    spec("w_key", width, width),
    spec("v", width),
    spec("out", vocabSize, width),
  ];
  const range = (count: number): Tensor =>
    constant(
      hostTensor(
        "int64",
        [count],
        BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
      ),
    );
  const ids = { dtype: "int64", shape: [batchSize, time] } as const;

  /** Attention from the decoder's steps (the token written last, and which step it is) to the encoder's states. */
  const kinds = {
    additive: (q: Tensor, k: Tensor, v: Tensor, states: Tensor) => additiveAttention(q, k, v, states),
    dot: (q: Tensor, k: Tensor, _: Tensor, states: Tensor) => {
      const head = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, 1, x.shape[1]!, x.shape[2]!]);
      const attended = fullAttention(head(q), head(k), head(states), { scale: width ** -0.5 });
      return reshape(attended, [batchSize, time, width]);
    },
  };

  function attended(kind: keyof typeof kinds, p: Readonly<Record<string, Tensor>>, pick: (states: Tensor) => Tensor) {
    const states = add(gather(p.words!, p.source!), gather(p.places!, range(time)));
    const last = add(gather(p.words!, p.written!), gather(p.steps!, range(time)));
    return kinds[kind](matmul(last, p.w_query!), matmul(states, p.w_key!), p.v!, pick(states));
  }

  const weightInputs = (names: readonly string[]): Record<string, Aval> =>
    Object.fromEntries(
      specs.flatMap(({ name, shape }) => (names.includes(name) ? [[name, { dtype: "float32", shape }]] : [])),
    );

  const leaves = { source: "source", written: "written" };
  const own = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));

  function stagesOf(kind: keyof typeof kinds): { loss: Stage; map: Stage } {
    const all = specs.map(({ name }) => name);
    const labels = { dtype: "int64", shape: [batchSize * time] } as const;
    const weights = { dtype: "float32", shape: [batchSize * time] } as const;
    const inputs: Record<string, Aval> = { source: ids, written: ids, labels, weights, ...weightInputs(all) };
    const loss = graph("copy", inputs, (p) => {
      const context = attended(kind, p, (states) => states);
      const logits = matmul(context, p.out!, { transB: true });
      return {
        loss: crossEntropyOfLogits(reshape(logits, [batchSize * time, vocabSize]), p.labels!, p.weights!),
      };
    });
    // over unit vectors as states, what attention gives is its weights
    const units = Float32Array.from({ length: batchSize * time * width }, (_, i) =>
      Number(i % width === Math.floor(i / width) % time),
    );
    const read = all.filter((name) => name !== "out");
    const map = graph("map", { source: ids, written: ids, ...weightInputs(read) }, (p) => ({
      map: attended(kind, p, () => constant(hostTensor("float32", [batchSize, time, width], units))),
    }));
    return {
      loss: {
        graph: loss,
        parameters: own(all),
        inputs: { ...leaves, labels: "labels", weights: "weights" },
        outputs: { loss: "loss" },
      },
      map: { graph: map, parameters: own(read), inputs: leaves, outputs: { map: "map" } },
    };
  }

  /** Strings of tokens from 1 on, and what is written of them before each step; 0 before the first. */
  function strings(rng: Rng): { source: HostTensor; written: HostTensor; labels: HostTensor } {
    const tokens = Array.from({ length: batchSize * time }, () => BigInt(1 + rng.below(vocabSize - 1)));
    const shifted = tokens.map((_, i) => (i % time === 0 ? 0n : tokens[i - 1]!));
    const tensor = (values: readonly bigint[], shape: readonly number[]): HostTensor =>
      hostTensor("int64", shape, BigInt64Array.from(values));
    return {
      source: tensor(tokens, [batchSize, time]),
      written: tensor(shifted, [batchSize, time]),
      labels: tensor(tokens, [batchSize * time]),
    };
  }

  it.each(["additive", "dot"] as const)("looks with %s attention at what it writes", async (kind) => {
    const parameters = initialize(specs, 2);
    const { loss, map } = stagesOf(kind);
    const weights = hostTensor(
      "float32",
      [batchSize * time],
      new Float32Array(batchSize * time).fill(1 / batchSize / time),
    );
    const batch = (index: number): Feeds => ({ ...strings(rngAt(index)), weights });
    const losses = await learn({ stages: [loss], parameters, batch, steps: 400, peak: 1e-2 });
    expect(losses.at(-1)).toBeLessThan(0.1);
    const { labels: _, ...unseen } = strings(new Rng(77));
    const weightsOf = (await runStages(runtime, [map], parameters, unseen, ["map"])).map!.data as Float32Array;
    const onDiagonal = Array.from({ length: batchSize * time }, (_, i) => weightsOf[i * width + (i % time)]!);
    expect(meanOf(onDiagonal)).toBeGreaterThan(0.9);
    expect(onDiagonal.filter((weight) => weight > 0.5).length / onDiagonal.length).toBeGreaterThan(0.98);
  });
});
