/** @file Documents to an index and a tuned model, then a question and a text: `npx tsx examples/ask-a-folder.ts`. */

import { Generator, runUp } from "tessera-llm";

const { knowledge, runtime, model, weights, codec, close } = await runUp({ folder: "docs", seconds: 10 });
const { answer } = await knowledge.ask("how do I add an op");
for (const quote of answer.statements.flatMap(({ quotes }) => quotes)) {
  console.log(`${quote.path}, characters ${quote.start} to ${quote.end}: ${quote.text}`);
}
const generator = await Generator.create(runtime, model, weights);
const prompt = codec.tokenizer.encode("Adding a chunker");
const decoder = codec.tokenizer.streamDecoder();
let text = "";
for await (const id of generator.generate(prompt, { maxTokens: 40, temperature: 0.8, seed: 1 }))
  text += decoder.push(id);
console.log(`The model writes on: Adding a chunker${text}`);
await close();
