/** @file Documents to an index and a tuned model, then a question and a text: `npx tsx examples/ask-a-folder.ts`. */

import { openKnowledge, runUp } from "tessera-llm";

const result = await runUp({ folder: "docs", seconds: 10 });
const knowledge = await openKnowledge(result);
const [best] = await knowledge.search("how do I add an op", 1);
console.log(`${best?.chunk.path}, characters ${best?.chunk.start} to ${best?.chunk.end}:\n${best?.chunk.text}`);
const options = { maxTokens: 40, temperature: 0.8, seed: 1, signal: AbortSignal.timeout(60_000) };
let text = "";
for await (const piece of knowledge.complete("Adding a chunker", options)) text += piece;
console.log(`The model writes on: Adding a chunker${text}`);
await result.close();
