/** @file A context made eight times as long by `tessera tune`: a passkey is found at 1,500 tokens, short text is read as before. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rng } from "../../src/base/rng.js";
import { type JsonValue, writeModel } from "../../src/checkpoint/index.js";
import { extendContext, modelFromConfig } from "../../src/models/index.js";
import { initialize, type LanguageModel, type Parameters, parameterSpecs } from "../../src/nn/index.js";
import { runTune, type TuneConfig } from "../../src/pipeline/tuning/index.js";
import { loadModel } from "../../src/presets/index.js";
import type { Runtime } from "../../src/runtime/index.js";
import { toTokenizerJson } from "../../src/tokenizers/index.js";
import { packDocuments, type TokenDocument } from "../../src/train/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, plain } from "../bench.js";
import { DIGITS, isKeyToken, passkeyAccuracy, passkeyPrompts, passkeyText, passkeyTokenizer } from "./passkey.js";
import { openRuntime, perplexity, trainTiny } from "./tiny-training.js";

const source = new URL("../../../shared/data/data-tinyshakespeare/input.txt", import.meta.url);
const [SHORT, LONG, ASKED_AT] = [256, 2048, 1500];
/** Per step of the base's training. */
const TOKENS = 2048;
const PROMPTS = 40;

const tokenizer = passkeyTokenizer();
const encode = (text: string): Int32Array => tokenizer.encode(text);

/** 0.33 million parameters. */
const config = {
  model_type: "llama",
  vocab_size: tokenizer.vocabSize,
  hidden_size: 128,
  intermediate_size: 256,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: SHORT,
  tie_word_embeddings: true,
  // at 0.02 a model of this width attends to nothing in particular for its first thousand steps
  initializer_range: 0.05,
  eos_token_id: 0,
} as const satisfies Record<string, JsonValue>;

interface Texts {
  readonly seen: string;
  readonly heldOut: string;
}

function readTexts(): Texts {
  const text = readFileSync(source, "utf8");
  const cut = Math.floor(0.9 * text.length);
  return { seen: text.slice(0, cut), heldOut: text.slice(cut) };
}

/** Texts of so many tokens: one in `every` without a key, the others with one told at distances up to `most`. */
function passkeyTexts(
  text: string,
  { length, count, most, every }: { length: number; count: number; most: number; every: number },
  rng: Rng,
): Int32Array[] {
  return Array.from({ length: count }, (_, i) => {
    const gap = i % every === every - 1 ? Number.POSITIVE_INFINITY : 5 * (most / 5) ** rng.uniform();
    return encode(passkeyText(text, 2 * length, gap, rng)).slice(0, length);
  });
}

/** Of texts with a key what can be known of it, of others all: so a few hundred steps are enough to find what is looked for. */
function keysOnly(ids: Int32Array): TokenDocument {
  const targets = Uint8Array.from(ids, isKeyToken);
  if (!targets.includes(1)) return { ids };
  const first = targets.indexOf(1);
  return { ids, targets: targets.fill(0, first, first + DIGITS) };
}

/** Lengths of the base's training: what is looked for is found sooner among 64 tokens than among 256. */
const STAGES = [
  { time: 64, most: 20, every: Number.POSITIVE_INFINITY, share: 0.3, learned: keysOnly },
  { time: 128, most: 60, every: 4, share: 0.2, learned: keysOnly },
  { time: SHORT, most: 180, every: 4, share: 0.5, learned: (ids: Int32Array): TokenDocument => ({ ids }) },
] as const;

/** Trains the base at the short length and writes it as a folder. */
async function writeBase(
  runtime: Runtime,
  folder: string,
  { seen }: Texts,
  total: number,
  log: BenchContext["log"],
): Promise<void> {
  const model = modelFromConfig(config);
  const parameters = initialize(parameterSpecs(model), 1);
  const schedule = { name: "cosine", peak: 3e-3, warmupSteps: 20, finalShare: 0.2 } as const;
  for (const [seed, { time, most, every, share, learned }] of STAGES.entries()) {
    const [steps, batchSize] = [Math.round(share * total), TOKENS / time];
    const texts = { length: time + 1, count: steps * batchSize, most, every };
    const rows = packDocuments(passkeyTexts(seen, texts, new Rng(seed)).map(learned), time);
    const loss = await trainTiny(runtime, model, parameters, rows, { steps, batchSize, schedule, seed });
    log(`  ${steps} steps of ${batchSize} x ${time} tokens: loss ${loss.toFixed(3)}`);
  }
  const files = new Map([["tokenizer.json", new TextEncoder().encode(toTokenizerJson(tokenizer))]]);
  await writeModel(folder, { config, tensors: parameters, files });
}

interface Quality {
  readonly short: number;
  readonly long: number;
  readonly perplexity: number;
}

async function qualityOf(runtime: Runtime, model: LanguageModel, parameters: Parameters, { heldOut }: Texts) {
  const accuracy = (length: number): Promise<number> =>
    passkeyAccuracy(runtime, model, parameters, passkeyPrompts(heldOut, length, PROMPTS, 7), encode);
  const ids = encode(heldOut).slice(0, 2 ** 15 + 1);
  return {
    short: await accuracy(SHORT - 6),
    long: await accuracy(ASKED_AT),
    perplexity: await perplexity(runtime, model, parameters, ids, SHORT),
  };
}

/** As a user does it: a folder, a file of texts, and the key that asks for a longer context. */
const tuning = (base: string, data: string, out: string): TuneConfig => ({
  base,
  data,
  out,
  format: "text",
  heldOut: 0.02,
  contextLength: LONG,
  batchSize: 2,
  samples: 0,
  evaluations: 2,
  patience: null,
  threads: 1,
});

export const passkey: Benchmark = {
  name: "passkey",
  about: `a tiny decoder of ${SHORT} positions extended to ${LONG}: a key asked for at ${ASKED_AT} tokens, and short text; arguments: steps before and after, methods`,
  async run({ log, args: [before = "600", after = "120", ...methods] }) {
    if (!existsSync(source)) {
      log("  ../shared/data/data-tinyshakespeare is absent: skipped");
      return [];
    }
    const texts = readTexts();
    const root = mkdtempSync(join(tmpdir(), "tessera-passkey-"));
    await using runtime = await openRuntime();
    const figures: Figure[] = [];
    const note = (label: string, { short, long, perplexity: value }: Quality, goals = false, old?: Quality): void => {
      const at = (length: number): string => `${label}: keys found at ${length} tokens`;
      figures.push(plain(at(SHORT), "%", 100 * short));
      figures.push(plain(at(ASKED_AT), "%", 100 * long, goals ? { atLeast: 90 } : undefined));
      const name = `${label}: perplexity at ${SHORT} tokens`;
      const peer = old && { value: old.perplexity, name: "before" };
      figures.push(
        peer ? compared(name, "", value, peer, goals ? { atMost: 1.03 } : undefined) : plain(name, "", value),
      );
      log(`  ${label}: ${100 * short} % at ${SHORT}, ${100 * long} % at ${ASKED_AT}, perplexity ${value.toFixed(3)}`);
    };
    try {
      const base = join(root, "base");
      const start = performance.now();
      const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(0)} s`;
      await writeBase(runtime, base, texts, Number(before), log);
      log(`  trained at ${SHORT} tokens: ${seconds()}`);
      const { model, parameters } = await loadModel(base);
      const old = await qualityOf(runtime, model, parameters, texts);
      note("before", old);
      const longer = modelFromConfig({ ...model.config, ...extendContext(model, { length: LONG }) });
      note("scaled alone", await qualityOf(runtime, longer, parameters, texts), false, old);
      const longTexts = { length: LONG - 1, count: 2 * Number(after) + 20, most: LONG, every: 4 };
      const data = join(root, "texts.jsonl");
      const rows = passkeyTexts(texts.seen, longTexts, new Rng(9)).map((ids) => ({
        text: tokenizer.decode(ids),
      }));
      writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      const runs = (methods.length > 0 ? methods : ["full"]) as NonNullable<TuneConfig["method"]>[];
      for (const method of runs) {
        const out = join(root, method);
        const learningRate = method === "full" ? 5e-4 : 2e-3;
        await runTune({ ...tuning(base, data, out), method, learningRate, steps: Number(after) });
        log(`  tuned by ${method}: ${seconds()}`);
        const tuned = await loadModel(join(out, "model"));
        note(`tuned by ${method}`, await qualityOf(runtime, tuned.model, tuned.parameters, texts), true, old);
      }
    } finally {
      rmSync(root, { recursive: true });
    }
    return figures;
  },
};
