/** @file Trains WordPiece, BERT's kind of vocabulary: words split greedily into pieces, `##` before those that go on. */

import type { TokenizerFile } from "../formats/format.js";
import { chooseAlphabet } from "./alphabet.js";
import { cutterOf, trainingNormalizers, trainingPretokenizers } from "./cutting.js";
import { learnMerges } from "./merges.js";
import { checkSpecialTokens, tokenizerFile, vocabOf } from "./tokenizer-file.js";
import type { TrainingOptions, TrainingTexts } from "./training.js";
import { countWords } from "./word-counts.js";

export interface WordPieceTrainingOptions extends TrainingOptions {
  /** Default bert-uncased. */
  readonly normalizer?: keyof typeof trainingNormalizers;
  /** Default bert. */
  readonly pretokenizer?: keyof typeof trainingPretokenizers;
  /** What words become that cannot be written; must be a special token. Default `[UNK]`. */
  readonly unkToken?: string;
}

const name = "WordPiece";
const continuation = "##";
/** Longer words are unknown, as in BERT. */
const maxWordLength = 100;
const bertTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/**
 * The tokenizer.json of a WordPiece tokenizer: special tokens (default: BERT's five), characters, `##` characters,
 * pieces. Pieces are the products of the most frequent merges, as Hugging Face's `WordPieceTrainer` learns them: the
 * likelihood gain of the first publication (Schuster and Nakajima 2012) favours rare pairs and gives longer texts, and
 * its code was never published. `[CLS]` and `[SEP]` frame a text where both are special tokens.
 * @throws ConfigError when the size cannot be reached, naming the nearest that can.
 */
export async function trainWordPiece(texts: TrainingTexts, options: WordPieceTrainingOptions): Promise<TokenizerFile> {
  const { vocabSize, minFrequency = 2, specialTokens = bertTokens, unkToken = "[UNK]", onProgress } = options;
  checkSpecialTokens(name, specialTokens, [unkToken]);
  const normalizer = trainingNormalizers[options.normalizer ?? "bert-uncased"];
  const pretokenizer = trainingPretokenizers[options.pretokenizer ?? "bert"];
  const words = await countWords(texts, cutterOf(normalizer, pretokenizer), onProgress);
  const { tokens } = learnMerges(words, {
    trainer: name,
    vocabSize,
    minFrequency,
    reserved: specialTokens,
    alphabet: chooseAlphabet(name, words, options),
    continuation,
    unknownWords: "dropped",
    onProgress,
  });
  return tokenizerFile(
    {
      normalizer,
      pre_tokenizer: pretokenizer,
      post_processor: frame(specialTokens),
      decoder: { type: "WordPiece", prefix: continuation, cleanup: true },
      model: {
        type: "WordPiece",
        unk_token: unkToken,
        continuing_subword_prefix: continuation,
        max_input_chars_per_word: maxWordLength,
        vocab: vocabOf(tokens),
      },
    },
    specialTokens,
  );
}

function frame(specialTokens: readonly string[]): TokenizerFile["post_processor"] {
  const [cls, sep] = [specialTokens.indexOf("[CLS]"), specialTokens.indexOf("[SEP]")];
  if (cls < 0 || sep < 0) return null;
  const token = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const single = [token("[CLS]", 0), sequence("A", 0), token("[SEP]", 0)];
  return {
    type: "TemplateProcessing",
    single,
    pair: [...single, sequence("B", 1), token("[SEP]", 1)],
    special_tokens: {
      "[CLS]": { id: "[CLS]", ids: [cls], tokens: ["[CLS]"] },
      "[SEP]": { id: "[SEP]", ids: [sep], tokens: ["[SEP]"] },
    },
  };
}
