/** @file Encoding speed on one core, English and Chinese, beside Hugging Face's Rust library on the same files. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { tokenizerFromJson } from "../../src/tokenizers/index.js";
import { type BenchContext, type Benchmark, compared, type Figure, median, plain, runJson } from "../bench.js";
import { trainingFigures } from "./tokenizer-training.js";
import { corpusFile, hasData, vocabularies } from "./vocabularies.js";

const rounds = 3;
const bytesPerLanguage = 2_000_000;
const warmBytes = 500_000;
const goal = { atLeast: 0.5 };
const languages = { English: "corpus-en-00.jsonl.gz", Chinese: "corpus-zh-00.jsonl.gz" };

interface Texts {
  readonly warm: readonly string[];
  readonly texts: readonly string[];
  readonly megabytes: number;
}

/** Documents for warming up, and others to measure with. */
function readTexts(name: string): Texts {
  const lines = new TextDecoder().decode(gunzipSync(corpusFile(name))).split("\n");
  const documents = lines.filter((line) => line !== "").map((line) => (JSON.parse(line) as { text: string }).text);
  const taken = (from: number, limit: number): string[] => {
    const texts: string[] = [];
    for (let i = from, bytes = 0; i < documents.length && bytes < limit; i++) {
      texts.push(documents[i]!);
      bytes += Buffer.byteLength(documents[i]!);
    }
    return texts;
  };
  const warm = taken(0, warmBytes);
  const texts = taken(warm.length, bytesPerLanguage);
  return { warm, texts, megabytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6 };
}

/** Seconds of one round with a fresh tokenizer. */
function encodeAll(json: string, { warm, texts }: Texts): { seconds: number; tokens: number } {
  const tokenizer = tokenizerFromJson(json);
  for (const text of warm) tokenizer.encode(text);
  const start = performance.now();
  let tokens = 0;
  for (const text of texts) tokens += tokenizer.encode(text).length;
  return { seconds: (performance.now() - start) / 1000, tokens };
}

async function measure(
  figure: string,
  json: string,
  texts: Texts,
  folder: string,
  context: BenchContext,
): Promise<Figure> {
  const { peerPython, log } = context;
  const path = (name: string): string => join(folder, name);
  writeFileSync(path("tokenizer.json"), json);
  writeFileSync(path("warm.json"), JSON.stringify(texts.warm));
  writeFileSync(path("texts.json"), JSON.stringify(texts.texts));
  const script = fileURLToPath(new URL("../peers/tokenizer.py", import.meta.url));
  const options = { tokenizer: path("tokenizer.json"), warm: path("warm.json"), texts: path("texts.json"), rounds: 1 };
  const env = { ...process.env, RAYON_NUM_THREADS: "1", TOKENIZERS_PARALLELISM: "false" };
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const { seconds, tokens } = encodeAll(json, texts);
    ours.push(texts.megabytes / seconds);
    if (!peerPython) continue;
    const args = [script, JSON.stringify(options)];
    const peer = await runJson<{ seconds: number[]; tokens: number }>(peerPython, args, env);
    theirs.push(texts.megabytes / peer.seconds[0]!);
    if (peer.tokens !== tokens) log(`  ${figure}: ${tokens} tokens, but the peer has ${peer.tokens}`);
  }
  log(`  ${figure}: ${ours.map((speed) => speed.toFixed(1))} MB/s, peer ${theirs.map((speed) => speed.toFixed(1))}`);
  return theirs.length === 0
    ? plain(figure, "MB/s", median(ours))
    : compared(figure, "MB/s", median(ours), { value: median(theirs), name: "tokenizers" }, goal);
}

export const tokenizer: Benchmark = {
  name: "tokenizer",
  about:
    "encoding on one core, English and Chinese, by kind of model, and training; needs ../shared/data; an argument names one kind to encode",
  async run(context) {
    if (!hasData) {
      context.log("../shared/data is not there: the vocabularies and texts of this benchmark are in it");
      return [];
    }
    const folder = mkdtempSync(join(tmpdir(), "tessera-bench-tokenizer-"));
    const figures: Figure[] = [];
    try {
      for (const [language, file] of Object.entries(languages)) {
        const texts = readTexts(file);
        for (const [kind, vocabulary] of Object.entries(vocabularies)) {
          if (context.args.length > 0 && !context.args.includes(kind)) continue;
          figures.push(await measure(`${kind}, ${language}`, vocabulary(), texts, folder, context));
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return context.args.length > 0 ? figures : [...figures, ...(await trainingFigures(context))];
  },
};
