/** @file Speed of chunkers on Markdown, beside LangChain.js with the same token counts, and memory over a long stream. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RecursiveCharacterTextSplitter } from "@langchain/textsplitters";
import { Tiktoken } from "js-tiktoken/lite";
import gpt2 from "js-tiktoken/ranks/gpt2";
import { type ChunkerDef, type ChunkOptions, chunkers, type TokenCounter } from "../../src/chunk/index.js";
import { scanFolder } from "../../src/documents/index.js";
import { tokenizerFromJson, trainByteLevelBpe } from "../../src/tokenizers/index.js";
import { type Benchmark, compared, type Figure, median, plain, runJson } from "../bench.js";

/** The first half warms up: machine code is made of a program while it runs. */
const ROUNDS = 24;
/** Peers take seconds per megabyte: they get this much of the text. */
const PEER_CHARACTERS = 200_000;
const GPT2 = new URL("../../../shared/data/tok-gpt2/tokenizer.json", import.meta.url);
const STREAMED = [
  "recursive",
  "fixed",
  "sentence",
  "content-defined",
  "parent-child",
  "sentence-window",
  "html",
] as const;

async function markdownOf(folder: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const entry of scanFolder(folder)) {
    if (entry.kind === "document" && entry.mediaType === "text/markdown") texts.push(entry.text);
  }
  return texts;
}

const megabytes = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;

/** Texts from the beginning of a list, at least so many characters. */
function firstOf(texts: readonly string[], characters: number): string[] {
  let size = 0;
  const end = texts.findIndex(({ length }) => {
    size += length;
    return size >= characters;
  });
  return texts.slice(0, end < 0 ? texts.length : end + 1);
}

export const chunk: Benchmark = {
  name: "chunk",
  about: "Markdown cut into chunks of 256 and 512 tokens on one core; an argument names the folder, default docs",
  async run({ log, args: [folder = "docs"] }) {
    const texts = await markdownOf(folder);
    const counter = trainByteLevelBpe(texts, { vocabSize: 2048, specialTokens: [], pretokenizer: "gpt2" });
    const figures: Figure[] = [];
    for (const maxTokens of [256, 512]) {
      figures.push(
        ...(await besideLangChain(
          texts,
          `${maxTokens} tokens, one counter for both`,
          { counter, maxTokens },
          counter,
          log,
        )),
      );
    }
    if (existsSync(GPT2)) {
      const own = tokenizerFromJson(readFileSync(GPT2, "utf8"));
      const tiktoken = new Tiktoken(gpt2);
      const theirs: TokenCounter = { count: (text) => tiktoken.encode(text, "all").length };
      const label = "256 tokens of GPT-2, each with its own tokenizer";
      figures.push(...(await besideLangChain(texts, label, { counter: own, maxTokens: 256 }, theirs, log)));
    } else log("../shared/data/tok-gpt2 is absent: no figure with each side's own tokenizer");
    figures.push(...(await others(texts, { counter, maxTokens: 256 })));
    for (const name of STREAMED) figures.push(await growth(name, log));
    return figures;
  },
};

/** Runs of ours and of LangChain.js's recursive splitter by turns, each with its token counter. */
async function besideLangChain(
  texts: readonly string[],
  label: string,
  options: ChunkOptions,
  theirCounter: TokenCounter,
  log: (message: string) => void,
): Promise<Figure[]> {
  const few = firstOf(texts, PEER_CHARACTERS);
  const peer = new RecursiveCharacterTextSplitter({
    chunkSize: options.maxTokens,
    chunkOverlap: 0,
    lengthFunction: (text) => theirCounter.count(text),
  });
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(
      await speed(megabytes(texts), () => {
        for (const text of texts) for (const _ of chunkers.recursive.chunk(text, options));
      }),
    );
    theirs.push(
      await speed(megabytes(few), async () => {
        for (const text of few) await peer.splitText(text);
      }),
    );
    log(`  ${label}: ${ours.at(-1)!.toFixed(1)} MB/s, LangChain.js ${theirs.at(-1)!.toFixed(2)} MB/s`);
  }
  const [own, other] = [median(ours.slice(ROUNDS / 2)), median(theirs.slice(ROUNDS / 2))];
  return [
    plain(`recursive, ${label}, first pass`, "MB/s", ours[0]!),
    compared(`recursive, ${label}`, "MB/s", own, { value: other, name: "LangChain.js recursive" }, { atLeast: 10 }),
  ];
}

async function speed(size: number, run: () => void | Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return size / ((performance.now() - start) / 1000);
}

async function others(texts: readonly string[], options: Parameters<ChunkerDef["chunk"]>[1]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, chunker] of Object.entries<ChunkerDef>(chunkers)) {
    if (["recursive", "html", "code"].includes(name)) continue;
    const speeds: number[] = [];
    for (let round = 0; round < 6; round++) {
      speeds.push(
        await speed(megabytes(texts), () => {
          for (const text of texts) for (const _ of chunker.chunk(text, options));
        }),
      );
    }
    figures.push(plain(`${name}, 256 tokens`, "MB/s", median(speeds.slice(3))));
  }
  return figures;
}

/** Peak memory of a process that cuts 10 MB, less that of one that cuts 1 MB. */
async function growth(name: string, log: (message: string) => void): Promise<Figure> {
  const child = fileURLToPath(new URL("stream-child.ts", import.meta.url));
  const peakOf = async (size: string): Promise<number> => {
    const args = ["--import", "tsx", "--max-semi-space-size=2", child, name, "docs/figures.md", size];
    return (await runJson<{ peakBytes: number }>(process.execPath, args)).peakBytes;
  };
  const [short, long] = [await peakOf("2"), await peakOf("10")];
  log(`  ${name}: ${(short / 1e6).toFixed(0)} MB at 2 MB of text, ${(long / 1e6).toFixed(0)} MB at 10 MB`);
  return compared(
    `${name}, 10 MB stream, peak`,
    "MB",
    long / 1e6,
    { value: short / 1e6, name: "2 MB stream" },
    { atMost: 1.25 },
  );
}
