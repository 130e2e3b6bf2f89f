/** @file A process that cuts a stream of so many megabytes and prints its peak memory. */

import { readFileSync } from "node:fs";
import { chunkers, estimatedTokens } from "../../src/chunk/index.js";
import { peakBytes } from "../peak.js";

const [name = "recursive", file = "README.md", megabytes = "10"] = process.argv.slice(2);
const text = readFileSync(file, "utf8");

async function* stream(): AsyncGenerator<string> {
  for (let left = Number(megabytes) * 1e6; left > 0; left -= text.length) yield text.slice(0, left);
}

let numChunks = 0;
const options = { counter: estimatedTokens, maxTokens: 256 };
for await (const _ of chunkers[name as keyof typeof chunkers].chunkStream(stream(), options)) numChunks++;
console.log(JSON.stringify({ numChunks, peakBytes: peakBytes() }));
