/** @file node-llama-cpp as a peer: commands as JSON lines on standard input, milliseconds as JSON lines on standard output. */

import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { library, model: modelPath, threads, contextLength, sequences } = JSON.parse(process.argv[2]);
const entry = pathToFileURL(join(library, "node_modules", "node-llama-cpp", "dist", "index.js")).href;
const { getLlama, LlamaLogLevel } = await import(entry);
const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
const context = await model.createContext({ contextSize: contextLength, sequences, threads });
const open = Array.from({ length: sequences }, () => context.getSequence());

/** Time to the first token and from it to the last, greedy. */
async function timed(sequence, prompt, maxTokens) {
  await sequence.clearHistory();
  const start = performance.now();
  let [first, count] = [0, 0];
  for await (const _ of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    if (count++ === 0) first = performance.now() - start;
    if (count === maxTokens) break;
  }
  return { first, rest: performance.now() - start - first };
}

console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  // each request runs in a sequence of its own; what runs together is batched by the library
  const requests = JSON.parse(line);
  console.log(JSON.stringify(await Promise.all(requests.map(({ prompt, text }, i) => timed(open[i], prompt, text)))));
}
process.exit(0);
