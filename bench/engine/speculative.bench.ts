/** @file Speculative decoding: tokens per second beside plain decoding, where draft and target agree and where they do not. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type HostTensor, hostTensor } from "../../src/base/host-tensor.js";
import { Rng } from "../../src/base/rng.js";
import {
  draftModel,
  Engine,
  ngramLookup,
  type RequestOptions,
  type Speculation,
  Weights,
} from "../../src/engine/index.js";
import { llama } from "../../src/models/index.js";
import { initialize, type LanguageModel, type Parameters, parameterSpecs } from "../../src/nn/index.js";
import { loadModel } from "../../src/presets/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, median } from "../bench.js";
import { shape, threads } from "./shape.js";

/** Rounds that count, unless another number is given after the name; a name after it chooses the figures that begin so. */
const ROUNDS = 7;
/** Tokens of a text. */
const TEXT = 64;
const PROMPT = 16;
const CONTEXT = 512;
/** Requests that run at once in the figures of a crowd. */
const CROWD = 8;

interface Pair {
  readonly target: LanguageModel;
  readonly parameters: Parameters;
  readonly draft: LanguageModel;
  /** The draft's parameters. */
  readonly own: Parameters;
}

/** Width of the draft, of which it has 2 layers. */
const NARROW = 256;

/**
 * The shape of the other generation benchmarks, and a draft a tenth of its size, both with random weights. The target's
 * embedding has nothing beyond the draft's width, where it is the draft's own, and so has its head; what layers add to the
 * stream is scaled by `rest`. Near 0 both models say what embedding and head say, so they agree; at 1 the target says what
 * the draft cannot know.
 */
function pairOf(rest: number): Pair {
  const [target, draft] = [
    llama(shape),
    llama({
      ...shape,
      hidden_size: NARROW,
      intermediate_size: 2 * NARROW,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
    }),
  ];
  const [parameters, own] = [target, draft].map((model, i) => {
    return new Map(
      [...initialize(parameterSpecs(model), i)].map(([name, tensor]) => [name, lessened(name, tensor, rest)]),
    );
  }) as [Map<string, HostTensor>, Map<string, HostTensor>];
  for (const name of [target.embedding.name, target.head.weight.name])
    parameters.set(name, widened(own.get(name)!, shape.hidden_size));
  // the mean of squares is taken over all dims, most of which are 0
  parameters.set(
    "model.norm.weight",
    scaled(parameters.get("model.norm.weight")!, Math.sqrt(NARROW / shape.hidden_size)),
  );
  return { target, parameters, draft, own };
}

/** Output projections of layers are scaled. */
const lessened = (name: string, tensor: HostTensor, rest: number): HostTensor =>
  /(?:o_proj|down_proj)\.weight$/.test(name) ? scaled(tensor, rest) : tensor;

const scaled = ({ shape: dims, data }: HostTensor, factor: number): HostTensor =>
  hostTensor(
    "float32",
    dims,
    (data as Float32Array).map((x) => x * factor),
  );

/** Rows are filled up with zeros. */
function widened({ shape: dims, data }: HostTensor, width: number): HostTensor {
  const [rows, narrow] = dims as readonly [number, number];
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    out.set((data as Float32Array).subarray(row * narrow, (row + 1) * narrow), row * width);
  return hostTensor("float32", [rows, width], out);
}

const draftOf = ({ draft, own }: Pair): Speculation =>
  draftModel({ model: draft, weights: new Weights(draft, own, "int4") });

const promptOf = (seed: number, vocabSize: number): number[] => {
  const rng = new Rng(seed);
  return Array.from({ length: PROMPT }, () => rng.below(vocabSize));
};

/** Tokens per second of texts that run together, prompts included. */
async function speed(
  engine: Engine,
  prompts: readonly (readonly number[])[],
  options: RequestOptions,
): Promise<number> {
  const start = performance.now();
  let count = 0;
  await Promise.all(
    prompts.map(async (prompt, seed) => {
      for await (const _ of engine.generate(prompt, { maxTokens: TEXT, seed, ...options })) count++;
    }),
  );
  return (1000 * count) / (performance.now() - start);
}

interface Case {
  readonly title: string;
  readonly options?: RequestOptions;
  /** Requests at once. Default 1. */
  readonly numRequests?: number;
  readonly atLeast: number;
}

const isWanted = (name: string, { args }: BenchContext): boolean => args[1] === undefined || name === args[1];

/** Plain decoding and speculation in one engine by turns; the share of proposals that was accepted is logged. */
async function figureOf(
  engine: Engine,
  { title, options = {}, numRequests = 1, atLeast }: Case,
  promptAt: (seed: number) => readonly number[],
  { log, args }: BenchContext,
): Promise<Figure[]> {
  const [plain, speculative, ratios]: [number[], number[], number[]] = [[], [], []];
  const before = engine.statistics.speculation;
  for (let round = 0; round <= Number(args[0] ?? ROUNDS); round++) {
    // nothing of a prompt is known before, and both of a round have the same work
    const prompts = (half: number) =>
      Array.from({ length: numRequests }, (_, i) => promptAt(1000 * round + 10 * i + half));
    const first = await speed(engine, prompts(0), { ...options, speculation: false });
    const second = await speed(engine, prompts(1), { speculation: true, ...options });
    if (round === 0) continue;
    plain.push(first);
    speculative.push(second);
    ratios.push(second / first);
  }
  const { proposed, accepted } = engine.statistics.speculation;
  const share = (accepted - before.accepted) / Math.max(1, proposed - before.proposed);
  log(
    `${title}: ${(100 * share).toFixed(0)}% of ${proposed - before.proposed} proposed tokens accepted, ratios ${ratios.map((r) => r.toFixed(2)).join(" ")}`,
  );
  return [compared(title, "tokens/s", median(speculative), { value: median(plain), name: "ours, plain" }, { atLeast })];
}

export const speculative: Benchmark = {
  name: "speculative",
  about: "speculative decoding beside plain decoding: draft models that agree and that do not, n-gram lookup",
  async run(context) {
    await using runtime = await Runtime.open({ numThreads: threads });
    const figures: Figure[] = [];
    const sampled = { temperature: 0.8, topP: 0.95 };
    for (const { rest, name, atLeast } of [
      { rest: 0.003, name: "draft that agrees", atLeast: 1.5 },
      { rest: 1, name: "draft that does not", atLeast: 0.9 },
    ]) {
      if (!isWanted(name, context)) continue;
      const pair = pairOf(rest);
      const weights = new Weights(pair.target, pair.parameters, "int4");
      const options = { contextLength: CONTEXT, maxSequences: CROWD, speculation: draftOf(pair) };
      await using engine = await Engine.create(runtime, pair.target, weights, options);
      const promptAt = (seed: number): number[] => promptOf(seed, shape.vocab_size);
      for (const found of [
        { title: `${name}, greedy`, atLeast },
        { title: `${name}, sampled`, options: sampled, atLeast },
        {
          title: `${name}, ${CROWD} greedy at once`,
          options: { maxTokens: TEXT / 2 },
          numRequests: CROWD,
          atLeast: 0.9,
        },
      ])
        figures.push(...(await figureOf(engine, found, promptAt, context)));
    }
    return [...figures, ...(await ngramFigures(runtime, context))];
  },
};

/** A trained model of 260,000 parameters on a prompt that repeats itself, and on texts of its own. */
async function ngramFigures(runtime: Runtime, context: BenchContext): Promise<Figure[]> {
  const figures: Figure[] = [];
  if (!isWanted("n-gram lookup", context)) return [];
  const folder = join("..", "shared", "data", "llm-stories260k", "stories260K.bin");
  if (!existsSync(folder)) {
    context.log("../shared/data/llm-stories260k is not there: n-gram lookup is skipped");
    return figures;
  }
  const { model, parameters, tokenizer } = await loadModel(folder);
  const engineOptions = { contextLength: 512, speculation: ngramLookup() };
  await using engine = await Engine.create(runtime, model, new Weights(model, parameters, "float32"), engineOptions);
  const story = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.";
  const promptAt = (seed: number, repeats: number): readonly number[] => {
    // each story names someone else
    const named = story.replaceAll("Lily", ["Tom", "Sue", "Ben", "Mia", "Max", "Amy", "Sam"][seed % 7]!);
    const text = repeats > 0 ? `${named} ${seed}. `.repeat(repeats) : `${named} ${seed}. `;
    return [...tokenizer.template.prefix, ...tokenizer.encode(text)];
  };
  for (const found of [
    { title: "n-gram lookup, text that repeats itself", repeats: 2, atLeast: 1.5 },
    { title: "n-gram lookup, sampled text", repeats: 0, options: { temperature: 1 }, atLeast: 0.9 },
  ])
    figures.push(...(await figureOf(engine, found, (seed) => promptAt(seed, found.repeats), context)));
  return figures;
}
