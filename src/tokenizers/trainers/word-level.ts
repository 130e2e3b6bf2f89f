/** @file Trains a word-level vocabulary: one token per frequent word, one for all others. */

import { z } from "zod";
import type { TokenizerFile } from "../formats/format.js";
import { parseEntry } from "../json-entry.js";
import { cutterOf, trainingNormalizers, trainingPretokenizers } from "./cutting.js";
import { checkSpecialTokens, tokenizerFile, vocabOf } from "./tokenizer-file.js";
import { checkInteger, checkRoom, type TrainingOptions, type TrainingTexts } from "./training.js";
import { countWords } from "./word-counts.js";

export interface WordLevelTrainingOptions
  extends Pick<TrainingOptions, "specialTokens" | "minFrequency" | "onProgress"> {
  /** Most ids, special tokens included. Default: every word that is frequent enough. */
  readonly vocabSize?: number;
  /** Default none. */
  readonly normalizer?: keyof typeof trainingNormalizers;
  /** Default words. */
  readonly pretokenizer?: keyof typeof trainingPretokenizers;
  /** What all other words become; must be a special token. Default `[UNK]`. */
  readonly unkToken?: string;
}

const name = "word-level";

const modelSchema = z.looseObject({
  type: z.literal("WordLevel"),
  vocab: z.custom<Readonly<Record<string, number>>>((value) => typeof value === "object" && value !== null),
  unk_token: z.string(),
});

/**
 * The tokenizer.json of a word-level tokenizer: special tokens (default `[UNK]`), then words by falling frequency, the
 * one with the smaller code units first among equals.
 * @throws ConfigError when `vocabSize` cannot hold the special tokens.
 */
export async function trainWordLevel(
  texts: TrainingTexts,
  options: WordLevelTrainingOptions = {},
): Promise<TokenizerFile> {
  const { vocabSize, minFrequency = 2, unkToken = "[UNK]", specialTokens = ["[UNK]"], onProgress } = options;
  checkSpecialTokens(name, specialTokens, [unkToken]);
  checkInteger(name, "minFrequency", minFrequency, 0);
  if (vocabSize !== undefined) checkRoom(name, vocabSize, { "special tokens": specialTokens.length });
  const normalizer = trainingNormalizers[options.normalizer ?? "none"];
  const pretokenizer = trainingPretokenizers[options.pretokenizer ?? "words"];
  const counts: [word: string, count: number][] = [];
  const words = await countWords(texts, cutterOf(normalizer, pretokenizer), onProgress);
  words.forEach((word, count) => {
    if (count >= minFrequency && !specialTokens.includes(word)) counts.push([word, count]);
  });
  counts.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const tokens = [...specialTokens, ...counts.map(([word]) => word)].slice(0, vocabSize);
  return tokenizerFile(
    {
      normalizer,
      pre_tokenizer: pretokenizer,
      model: { type: "WordLevel", vocab: vocabOf(tokens), unk_token: unkToken },
    },
    specialTokens,
  );
}

export interface WordCoverage {
  /** Words of the texts. */
  readonly words: number;
  /** Those that have no token of their own. */
  readonly unknown: number;
  /** unknown / words; 0 where there are no words. */
  readonly rate: number;
}

/**
 * How many words of `texts` are out of vocabulary.
 * @throws CheckpointError when the model of `file` is not word-level.
 */
export async function countUnknownWords(file: TokenizerFile, texts: TrainingTexts): Promise<WordCoverage> {
  const { vocab, unk_token } = parseEntry(modelSchema, file.model, "model WordLevel");
  const known = new Set(Object.keys(vocab).filter((token) => token !== unk_token));
  let [words, unknown] = [0, 0];
  (await countWords(texts, cutterOf(file.normalizer, file.pre_tokenizer))).forEach((word, count) => {
    words += count;
    if (!known.has(word)) unknown += count;
  });
  return { words, unknown, rate: words === 0 ? 0 : unknown / words };
}
