/** @file A tiny model of random weights that writes of colours, and rows to tune it with. */

import { type JsonValue, writeModel } from "../../src/checkpoint/index.js";
import { llama } from "../../src/models/index.js";
import { initialize, parameterSpecs } from "../../src/nn/index.js";
import { toTokenizerJson, trainByteLevelBpe } from "../../src/tokenizers/index.js";

const END = "<|end|>";

const colours = ["red", "green", "blue", "white", "black"];
const things = ["sky", "leaf", "rose", "snow", "coal", "sea", "brick", "milk"];
/** Instructions and answers, 40 of them. */
export const colourRows = things.flatMap((thing, i) =>
  colours.map((colour, j) => ({
    instruction: `Paint the ${thing} ${colour}.`,
    output: `The ${thing} is ${colours[(i + j) % 5]}.`,
  })),
);

/** A random model with a tokenizer of its own, as a folder. */
export async function writeColourModel(folder: string): Promise<void> {
  const texts = colourRows.map(
    ({ instruction, output }) => `### Instruction:\n${instruction}\n\n### Response:\n${output}`,
  );
  const tokenizer = trainByteLevelBpe(texts, { vocabSize: 320, specialTokens: [END] });
  const config = {
    model_type: "llama" as const,
    vocab_size: tokenizer.vocabSize,
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 128,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    initializer_range: 0.1,
    eos_token_id: tokenizer.specialTokens.get(END)!,
    bos_token_id: tokenizer.specialTokens.get(END)!,
  };
  const files = new Map([["tokenizer.json", new TextEncoder().encode(toTokenizerJson(tokenizer))]]);
  const tensors = initialize(parameterSpecs(llama(config)), 1);
  await writeModel(folder, { config: config as Record<string, JsonValue>, tensors, files });
}
