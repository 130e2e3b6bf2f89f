/** @file Trains a byte-level BPE tokenizer that is ready to use and to write. */

import type { z } from "zod";
import { ByteLevelBpe } from "./algorithms/byte-level-bpe.js";
import { type BpeTrainingOptions, trainBpe } from "./algorithms/byte-level-bpe-trainer.js";
import { byteLevelBpeFormat, readByteLevel } from "./formats/byte-level-bpe.js";
import type { typedSchema } from "./json-entry.js";
import { cl100kPattern } from "./pretokenizers/cl100k.js";
import { JsonTokenizer } from "./tokenizer-json.js";

/** How texts are cut up, as known models do it; entries of tokenizer.json. */
export const bpePretokenizers = {
  gpt2: byteLevel(true),
  /** Like gpt2, but each digit for itself, which helps arithmetic. */
  smollm: sequence({ type: "Digits", individual_digits: true }, byteLevel(true)),
  /** Keeps punctuation with the letters after it and newlines together; numbers in threes. */
  llama3: sequence(split(3), byteLevel(false)),
  /** Like llama3, but each digit for itself. */
  qwen2: sequence(split(1), byteLevel(false)),
} as const;

export interface ByteLevelBpeTrainingOptions extends BpeTrainingOptions {
  /** Default gpt2. */
  readonly pretokenizer?: keyof typeof bpePretokenizers;
}

/**
 * A byte-level BPE tokenizer that has learned its vocabulary from `texts`: special tokens, the 256 bytes, one token per
 * merge. Deterministic; Hugging Face's library learns the same from the same settings.
 * @throws ConfigError when `vocabSize` cannot hold the bytes and the special tokens.
 * @example
 * const tokenizer = trainByteLevelBpe(texts, { vocabSize: 4096, specialTokens: ["<|endoftext|>"] });
 */
export function trainByteLevelBpe(texts: Iterable<string>, options: ByteLevelBpeTrainingOptions): JsonTokenizer {
  const entry = bpePretokenizers[options.pretokenizer ?? "gpt2"];
  const vocabulary = trainBpe(texts, readByteLevel(entry).pretokenizer, options);
  return new JsonTokenizer({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: (options.specialTokens ?? []).map((content, id) => specialToken(content, id)),
    normalizer: null,
    pre_tokenizer: entry,
    post_processor: null,
    decoder: byteLevel(true),
    model: { type: byteLevelBpeFormat.name, ...byteLevelBpeFormat.write(new ByteLevelBpe(vocabulary)) },
  });
}

function specialToken(content: string, id: number) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

function byteLevel(usesRegex: boolean) {
  return { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: usesRegex };
}

function split(maxDigits: 1 | 3) {
  return { type: "Split", pattern: { Regex: cl100kPattern(maxDigits) }, behavior: "Isolated", invert: false };
}

function sequence(...pretokenizers: readonly z.infer<typeof typedSchema>[]) {
  return { type: "Sequence", pretokenizers };
}
