/** @file Trains as SentencePiece does (Kudo and Richardson 2018, arXiv:1808.06226): raw text, spaces as characters, lossless. */

import { ConfigError } from "../../base/errors.js";
import type { TokenizerFile } from "../formats/format.js";
import { chooseAlphabet } from "./alphabet.js";
import { learnMerges } from "./merges.js";
import { type RawWordOptions, rawWords } from "./raw-words.js";
import {
  bpeModel,
  byteTokens,
  checkSpecialTokens,
  marked,
  markedAlphabet,
  spaceMark,
  tokenizerFile,
} from "./tokenizer-file.js";
import type { TrainingOptions, TrainingTexts } from "./training.js";
import { learnUnigram } from "./unigram-learner.js";
import { countWords, type WordCounts } from "./word-counts.js";

export interface SentencePieceTrainingOptions extends TrainingOptions, Partial<RawWordOptions> {
  /** What chooses the pieces. Default unigram, as in SentencePiece. */
  readonly algorithm?: "unigram" | "bpe";
  /** Characters without a piece become the tokens of their UTF-8 bytes, so that nothing is unknown. Default true. */
  readonly byteFallback?: boolean;
  /** Share of all characters that get a piece, from the most frequent on. Default 0.9995. */
  readonly characterCoverage?: number;
  /** A space before the text, so that its first word looks like any other. Decoding takes it away. Default true. */
  readonly dummyPrefix?: boolean;
  /** Most characters of a piece of a Unigram model. Default 16. */
  readonly maxPieceLength?: number;
  /** Pieces that Unigram's pruning begins with. Default 1,000,000. */
  readonly maxSeeds?: number;
}

const name = "SentencePiece";
const defaultSpecialTokens = ["<unk>", "<s>", "</s>"];

/**
 * The tokenizer.json of a SentencePiece-style tokenizer: special tokens (the first is the unknown one), bytes, pieces.
 * Whole texts are encoded without a cut, and decoding gives every text back, but that `▁` itself becomes a space.
 * `sentencePieceModel` writes the same as a `.model`.
 * @throws ConfigError when the size cannot be reached, naming the nearest that can.
 */
export async function trainSentencePiece(
  texts: TrainingTexts,
  options: SentencePieceTrainingOptions,
): Promise<TokenizerFile> {
  const {
    algorithm = "unigram",
    byteFallback = true,
    dummyPrefix = true,
    specialTokens = defaultSpecialTokens,
  } = options;
  checkSpecialTokens(name, specialTokens, []);
  const [unkToken] = specialTokens;
  if (unkToken === undefined)
    throw new ConfigError(`${name} training: specialTokens must begin with the unknown token`);
  const { splitByWhitespace = true, splitByCategory = true } = options;
  const words = await countWords(
    texts,
    {
      normalize: (text) => (dummyPrefix && text !== "" ? ` ${text}` : text),
      pretokenizer: rawWords({ splitByWhitespace, splitByCategory }),
    },
    options.onProgress,
  );
  const reserved = [...specialTokens, ...(byteFallback ? byteTokens : [])];
  const learn = algorithm === "bpe" ? bpe : unigram;
  return tokenizerFile(
    {
      normalizer: rawNormalizer(dummyPrefix),
      decoder: decoder(dummyPrefix),
      model: learn(words, options, reserved, byteFallback),
    },
    specialTokens,
  );
}

function unigram(
  words: WordCounts,
  options: SentencePieceTrainingOptions,
  reserved: readonly string[],
  byteFallback: boolean,
): TokenizerFile["model"] {
  const { vocabSize, minFrequency = 2, maxPieceLength = 16, maxSeeds = 1_000_000, onProgress } = options;
  const pieces = learnUnigram(words, {
    trainer: name,
    vocabSize,
    numReserved: reserved.length,
    alphabet: alphabetOf(words, options),
    maxPieceLength,
    minFrequency,
    maxSeeds,
    onProgress,
  });
  const vocab = [...reserved.map((token) => [token, 0]), ...pieces.map(({ text, score }) => [marked(text), score])];
  return { type: "Unigram", unk_id: 0, vocab, byte_fallback: byteFallback };
}

function bpe(
  words: WordCounts,
  options: SentencePieceTrainingOptions,
  reserved: readonly string[],
  byteFallback: boolean,
): TokenizerFile["model"] {
  const { vocabSize, minFrequency = 2, onProgress } = options;
  const { tokens, merges } = learnMerges(words, {
    trainer: name,
    vocabSize,
    minFrequency,
    reserved,
    alphabet: alphabetOf(words, options),
    continuation: "",
    unknownWords: "cut",
    onProgress,
  });
  return bpeModel({
    tokens: tokens.map((token, id) => (id < reserved.length ? token : marked(token))),
    merges: merges.map(([left, right]) => [marked(left), marked(right)]),
    unkToken: reserved[0]!,
    byteFallback,
  });
}

function alphabetOf(words: WordCounts, options: SentencePieceTrainingOptions): string[] {
  const { characterCoverage = 0.9995, initialAlphabet = [], limitAlphabet } = options;
  const alphabet = chooseAlphabet(name, words, {
    characterCoverage,
    initialAlphabet: [" ", ...initialAlphabet],
    ...(limitAlphabet === undefined ? {} : { limitAlphabet }),
  });
  return markedAlphabet(alphabet);
}

/** The `normalizer` entry by which a text of spaces becomes one of `▁`. */
export function rawNormalizer(dummyPrefix: boolean): NonNullable<TokenizerFile["normalizer"]> {
  const mark = { type: "Replace", pattern: { String: " " }, content: spaceMark };
  if (!dummyPrefix) return mark;
  return { type: "Sequence", normalizers: [{ type: "Prepend", prepend: spaceMark }, mark] };
}

function decoder(dummyPrefix: boolean): TokenizerFile["decoder"] {
  const unmark = { type: "Replace", pattern: { String: spaceMark }, content: " " };
  const strip = dummyPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : [];
  return { type: "Sequence", decoders: [unmark, { type: "ByteFallback" }, { type: "Fuse" }, ...strip] };
}
