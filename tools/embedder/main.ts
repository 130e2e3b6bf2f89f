/**
 * @file Makes the embedder of the package, step by step; each step reads what the one before it left in the work folder.
 *
 *     npx tsx tools/embedder/main.ts tokenizer <work> <corpus>    half a minute
 *     npx tsx tools/embedder/main.ts passages <work> <corpus>     two minutes
 *     npx tsx tools/embedder/main.ts train <work> [steps]         three quarters of an hour on one core
 *     npx tsx tools/embedder/main.ts write <work> <folder>
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { Rng } from "../../src/base/rng.js";
import { quantizeRows, writeStaticModel } from "../../src/embed/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { tokenizerFromJson } from "../../src/tokenizers/index.js";
import { adamw } from "../../src/train/index.js";
import { BatchSampler } from "./batches.js";
import { corpusDocuments } from "./corpus.js";
import { PairSampler, questionWords } from "./pairs.js";
import { type Passages, readPassages } from "./passages.js";
import { StaticTrainer, startTable } from "./static-trainer.js";
import { trainTokenizer } from "./tokenizer.js";

const VOCABULARY = 18_000;
const DIMENSION = 512;
const BATCH = 1024;
const STEPS = 3000;
/** a of SIF: a token of the share p begins with a row of length a / (a + p) (Arora et al. 2017, section 3). */
const SIF = 3e-4;
const TRAINING = { batch: BATCH, scale: 20, seed: 1, optimizer: adamw({ beta2: 0.999 }) } as const;
const STEPS_PER_SAVE = 100;
/**
 * Share of the start in what is shipped. Learning is from technical texts; going back some of the way keeps what tells
 * other words apart (weight-space ensembles, Wortsman et al. 2022, arXiv:2109.01903). 0.3 of 0, 0.15, 0.3, 0.5 and 0.7,
 * by sentences of WikiText-2 and the paragraphs they were taken out of, and held-out titles.
 */
const START_SHARE = 0.3;

const [command, work = "", path = ""] = process.argv.slice(2);
const tokenizerPath = join(work, "tokenizer.json");
const passagesPath = join(work, "passages.bin");
const tablePath = join(work, "table.bin");
const tokenizerJson = (): string => readFileSync(tokenizerPath, "utf8");

/** Half of the English texts and two thirds of the Chinese: the rest teaches the same pieces. */
async function* tokenizerTexts(corpus: string): AsyncGenerator<string> {
  let [numEnglish, numChinese] = [0, 0];
  for await (const { lang, text } of corpusDocuments(corpus, "corpus")) {
    if (lang === "zh" ? numChinese++ % 3 < 2 : numEnglish++ % 2 === 0) yield text;
  }
}

const commands: Readonly<Record<string, () => Promise<void>>> = {
  async tokenizer() {
    const file = await trainTokenizer(tokenizerTexts(path), VOCABULARY, (progress) => console.error(progress));
    writeFileSync(tokenizerPath, JSON.stringify(file));
  },

  async passages() {
    const passages = await readPassages(corpusDocuments(path, "corpus"), tokenizerFromJson(tokenizerJson()));
    writeFileSync(passagesPath, serialize(passages));
    console.error(`${passages.documents.length} passages, ${passages.tokens.length} tokens`);
  },

  async train() {
    const steps = path === "" ? STEPS : Number(path);
    const tokenizer = tokenizerFromJson(tokenizerJson());
    const passages = deserialize(readFileSync(passagesPath)) as Passages;
    const encoded = (words: readonly string[]) => words.map((word) => Uint16Array.from(tokenizer.encode(word)));
    const rng = new Rng(7);
    const questions = { en: encoded(questionWords.en), zh: encoded(questionWords.zh) };
    const batches = new BatchSampler(passages, new PairSampler(passages, questions, rng), rng);
    await using runtime = await Runtime.open({ numThreads: 1 });
    const schedule = { name: "cosine", peak: 0.02, warmupSteps: 100, totalSteps: steps, finalShare: 0.02 } as const;
    const options = { ...TRAINING, schedule, vocabSize: tokenizer.vocabSize, dimension: DIMENSION };
    const trainer = await StaticTrainer.create(runtime, options, startLengths(passages, tokenizer.vocabSize));
    let sum = 0;
    for (let step = 1; step <= steps; step++) {
      sum += await trainer.step(batches.next(BATCH));
      if (step % STEPS_PER_SAVE !== 0 && step !== steps) continue;
      console.error(`step ${step}: loss ${(sum / (step % STEPS_PER_SAVE || STEPS_PER_SAVE)).toFixed(3)}`);
      sum = 0;
      const { buffer, byteOffset, byteLength } = trainer.table.data;
      writeFileSync(tablePath, new Uint8Array(buffer, byteOffset, byteLength));
    }
    trainer.close();
  },

  async write() {
    const bytes = readFileSync(tablePath);
    const trained = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const passages = deserialize(readFileSync(passagesPath)) as Passages;
    const start = startTable(startLengths(passages, trained.length / DIMENSION), DIMENSION, TRAINING.seed);
    const table = trained.map((value, i) => (1 - START_SHARE) * value + START_SHARE * start[i]!);
    const card = readFileSync(new URL("./card.md", import.meta.url), "utf8");
    await writeStaticModel(path, quantizeRows(table, DIMENSION), {
      tokenizerJson: tokenizerJson(),
      keepQuantized: true,
      card,
    });
  },
};

function startLengths({ tokens }: Passages, vocabSize: number): Float64Array {
  const shares = new Float64Array(vocabSize);
  for (const token of tokens) shares[token]! += 1 / tokens.length;
  return shares.map((share) => SIF / (SIF + share));
}

const run = commands[command ?? ""];
if (!run || work === "") {
  console.error(`usage: main.ts ${Object.keys(commands).join("|")} <work folder> …; see the top of the file`);
  process.exitCode = 2;
} else await run();
