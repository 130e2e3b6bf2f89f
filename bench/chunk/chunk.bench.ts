/** @file Speed of the recursive chunker on Markdown, counting tokens with a tokenizer that was trained on it. */

import { chunkers } from "../../src/chunk/index.js";
import { scanFolder } from "../../src/documents/index.js";
import { trainByteLevelBpe } from "../../src/tokenizers/index.js";
import { type Benchmark, type Figure, median, plain } from "../bench.js";

const PASSES = 9;

async function markdownOf(folder: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const entry of scanFolder(folder)) {
    if (entry.kind === "document" && entry.mediaType === "text/markdown") texts.push(entry.text);
  }
  return texts;
}

export const chunk: Benchmark = {
  name: "chunk",
  about: "Markdown cut into chunks of 256 and 512 tokens on one core; an argument names the folder, default docs",
  async run({ log, args: [folder = "docs"] }) {
    const texts = await markdownOf(folder);
    const counter = trainByteLevelBpe(texts, { vocabSize: 2048, specialTokens: [], pretokenizer: "gpt2" });
    const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
    const figures: Figure[] = [];
    for (const maxTokens of [256, 512]) {
      const options = { counter, maxTokens, format: "markdown" as const };
      const speeds = Array.from({ length: PASSES }, () => {
        const start = performance.now();
        let count = 0;
        for (const text of texts) for (const _ of chunkers.recursive.chunk(text, options)) count++;
        const speed = megabytes / ((performance.now() - start) / 1000);
        log(`  ${count} chunks of at most ${maxTokens} tokens: ${speed.toFixed(1)} MB/s`);
        return speed;
      });
      const [first, ...warm] = speeds;
      figures.push(
        plain(`${maxTokens} tokens, first pass`, "MB/s", first!),
        plain(`${maxTokens} tokens, later passes`, "MB/s", median(warm), { atLeast: 20 }),
      );
    }
    return figures;
  },
};
