/** @file Trains BPE and Unigram over words that carry their space as `▁`, with Hugging Face's `Metaspace` around the model. */

import { ConfigError } from "../../base/errors.js";
import type { TokenizerFile } from "../formats/format.js";
import { type AlphabetOptions, chooseAlphabet } from "./alphabet.js";
import { cutterOf, trainingNormalizers } from "./cutting.js";
import { learnMerges } from "./merges.js";
import { bpeModel, checkSpecialTokens, spaceMark, tokenizerFile } from "./tokenizer-file.js";
import type { TrainingOptions, TrainingTexts } from "./training.js";
import { learnUnigram } from "./unigram-learner.js";
import { countWords, type WordCounts } from "./word-counts.js";

export interface MetaspaceTrainingOptions extends TrainingOptions {
  /** Default none, which loses no character that is in the alphabet. */
  readonly normalizer?: keyof typeof trainingNormalizers;
  /**
   * `always`: a text that does not begin with a space gets one, so that its first word looks like any other; decoding
   * drops the first space. `never` gives every text back as it was. Default always.
   */
  readonly prefixSpace?: "always" | "never";
}

export interface UnigramTrainingOptions extends MetaspaceTrainingOptions {
  /** Most characters of a piece. Default 16. */
  readonly maxPieceLength?: number;
  /** Pieces that pruning begins with. Default 1,000,000. */
  readonly maxSeeds?: number;
}

const defaultSpecialTokens = ["<unk>"];

/**
 * The tokenizer.json of BPE whose alphabet are characters: special tokens (the first is the unknown one), characters,
 * one token per merge. Hugging Face's `BpeTrainer` behind `Metaspace` learns the same.
 * @throws ConfigError when the size cannot be reached, naming the nearest that can.
 */
export async function trainCharacterBpe(
  texts: TrainingTexts,
  options: MetaspaceTrainingOptions,
): Promise<TokenizerFile> {
  return train("BPE", texts, options, (words, reserved, alphabet) => {
    const { vocabSize, minFrequency = 2, onProgress } = options;
    const learning = { trainer: "BPE", vocabSize, minFrequency, reserved, alphabet, onProgress };
    const { tokens, merges } = learnMerges(words, { ...learning, continuation: "", unknownWords: "cut" });
    return bpeModel({ tokens, merges, unkToken: reserved[0]!, byteFallback: false });
  });
}

/**
 * The tokenizer.json of a Unigram language model (Kudo 2018): special tokens (the first is the unknown one), pieces by
 * falling probability.
 * @throws ConfigError when the size cannot be reached, naming the nearest that can.
 */
export async function trainUnigram(texts: TrainingTexts, options: UnigramTrainingOptions): Promise<TokenizerFile> {
  const { vocabSize, minFrequency = 2, maxPieceLength = 16, maxSeeds = 1_000_000, onProgress } = options;
  return train("Unigram", texts, options, (words, reserved, alphabet) => {
    const learning = { vocabSize, numReserved: reserved.length, alphabet, maxPieceLength, minFrequency, maxSeeds };
    const pieces = learnUnigram(words, { trainer: "Unigram", ...learning, onProgress });
    const vocab = [...reserved.map((token) => [token, 0]), ...pieces.map(({ text, score }) => [text, score])];
    return { type: "Unigram", unk_id: 0, vocab, byte_fallback: false };
  });
}

async function train(
  trainer: string,
  texts: TrainingTexts,
  options: MetaspaceTrainingOptions & AlphabetOptions,
  learn: (words: WordCounts, reserved: readonly string[], alphabet: readonly string[]) => TokenizerFile["model"],
): Promise<TokenizerFile> {
  const { specialTokens = defaultSpecialTokens, prefixSpace = "always" } = options;
  checkSpecialTokens(trainer, specialTokens, []);
  if (specialTokens.length === 0) {
    throw new ConfigError(`${trainer} training: specialTokens must begin with the unknown token`);
  }
  const normalizer = trainingNormalizers[options.normalizer ?? "none"];
  const metaspace = { type: "Metaspace", replacement: spaceMark, prepend_scheme: prefixSpace, split: true };
  const words = await countWords(texts, cutterOf(normalizer, metaspace), options.onProgress);
  const initialAlphabet = [spaceMark, ...(options.initialAlphabet ?? [])];
  const alphabet = chooseAlphabet(trainer, words, { ...options, initialAlphabet });
  return tokenizerFile(
    {
      normalizer,
      pre_tokenizer: metaspace,
      decoder: metaspace,
      model: learn(words, specialTokens, alphabet),
    },
    specialTokens,
  );
}
