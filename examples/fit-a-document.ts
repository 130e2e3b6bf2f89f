/** @file Brings a document under a budget of tokens: all of it, passages for a question, or the most telling sentences. */

import { readFile } from "node:fs/promises";
import { chooseContext } from "tessera-llm/long";
import { trainByteLevelBpe } from "tessera-llm/tokenizers";

const document = await readFile(new URL("../docs/decisions/002-embedded-index.md", import.meta.url), "utf8");
// the tokenizer of the model that is to read it; here one that is made on the spot
const counter = trainByteLevelBpe([document], { vocabSize: 1000 });
const question = "Why was better-sqlite3 not chosen?";
for (const asked of [
  { question, budget: 2400 },
  { question, budget: 500 },
  { question, budget: 120 },
  { budget: 120 },
]) {
  const { strategy, reason } = await chooseContext({ document, counter, ...asked });
  console.log(`${strategy}: ${reason}`);
}
