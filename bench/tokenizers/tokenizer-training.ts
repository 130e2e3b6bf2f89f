/** @file How long it takes to learn a vocabulary of 32,000 tokens from 10 MB, beside Hugging Face's trainers on one thread. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { trainByteLevelBpe } from "../../src/tokenizers/index.js";
import { trainCharacterBpe, trainUnigram, trainWordPiece } from "../../src/tokenizers/trainers/index.js";
import { type BenchContext, compared, type Figure, median, plain, runJson } from "../bench.js";

const vocabSize = 32_000;
const corpus = new URL("../../../shared/data/corpus/", import.meta.url);
const peerScript = fileURLToPath(new URL("../peers/tokenizer_training.py", import.meta.url));

/** 8.5 MB of English and 1.5 MB of Chinese, as lines. */
const shares = [
  ["corpus-en-00.jsonl.gz", 8_500_000],
  ["corpus-zh-00.jsonl.gz", 1_500_000],
] as const;

/** Rounds: ours and the peer in turns. The peer's Unigram takes a minute, and so has one. */
const trainers = {
  "byte-level BPE": { rounds: 3, train: async (texts: string[]) => trainByteLevelBpe(texts, { vocabSize }) },
  "character BPE": { rounds: 3, train: (texts: string[]) => trainCharacterBpe(texts, { vocabSize }) },
  WordPiece: { rounds: 3, train: (texts: string[]) => trainWordPiece(texts, { vocabSize }) },
  Unigram: { rounds: 1, train: (texts: string[]) => trainUnigram(texts, { vocabSize }) },
} as const;

/** Seconds of each trainer; the goal is at most twice the peer's time. Empty, with a word, where the corpus is absent. */
export async function trainingFigures({ log, peerPython }: BenchContext): Promise<Figure[]> {
  if (!existsSync(corpus)) {
    log(`tokenizer training: skipped, as ${fileURLToPath(corpus)} is absent`);
    return [];
  }
  const texts = shares.flatMap(([file, bytes]) => linesOf(file, bytes));
  const folder = mkdtempSync(join(tmpdir(), "tessera-bench-"));
  try {
    const path = join(folder, "texts.json");
    writeFileSync(path, JSON.stringify(texts));
    const figures: Figure[] = [];
    for (const [name, { rounds, train }] of Object.entries(trainers)) {
      const ours: number[] = [];
      const peers: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const start = performance.now();
        await train(texts);
        ours.push((performance.now() - start) / 1000);
        if (peerPython) peers.push(await peerSeconds(peerPython, name, path));
        log(`  ${name}: ${ours.at(-1)!.toFixed(2)} s${peerPython ? `, tokenizers ${peers.at(-1)!.toFixed(2)} s` : ""}`);
      }
      const figure = `train ${name}, 32k from 10 MB`;
      const peer = { value: median(peers), name: "tokenizers" };
      figures.push(
        peerPython ? compared(figure, "s", median(ours), peer, { atMost: 2 }) : plain(figure, "s", median(ours)),
      );
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function peerSeconds(python: string, trainer: string, texts: string): Promise<number> {
  const options = JSON.stringify({ trainer, vocabSize, texts, threads: 1 });
  return (await runJson<{ seconds: number }>(python, [peerScript, options])).seconds;
}

function linesOf(file: string, bytes: number): string[] {
  const lines: string[] = [];
  let read = 0;
  for (const record of gunzipSync(readFileSync(new URL(file, corpus)))
    .toString()
    .split("\n")) {
    if (record === "" || read >= bytes) break;
    const { text } = JSON.parse(record) as { text: string };
    read += Buffer.byteLength(text);
    lines.push(...text.split("\n").filter((line) => line !== ""));
  }
  return lines;
}
