/** @file The tokenizer of the shipped embedder: Unigram pieces of lower-cased words, English and Chinese, no mark for spaces. */

import { chooseAlphabet } from "../../src/tokenizers/trainers/alphabet.js";
import { cutterOf } from "../../src/tokenizers/trainers/cutting.js";
import { tokenizerFile } from "../../src/tokenizers/trainers/tokenizer-file.js";
import type { TrainingProgress } from "../../src/tokenizers/trainers/training.js";
import { learnUnigram } from "../../src/tokenizers/trainers/unigram-learner.js";
import { countWords } from "../../src/tokenizers/trainers/word-counts.js";

/** Chinese stays in runs, so that words of several characters get a piece; accents go, so that Spanish has its letters. */
const normalizer = {
  type: "Sequence",
  normalizers: [
    { type: "NFKC" },
    { type: "BertNormalizer", clean_text: true, handle_chinese_chars: false, strip_accents: true, lowercase: true },
  ],
};
const pretokenizer = { type: "BertPreTokenizer" };

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i));

/** The 3,755 common characters of GB 2312: a vector of their own serves those too that the texts do not hold. */
function commonHan(): string[] {
  const decoder = new TextDecoder("gb2312");
  const rows = Array.from({ length: 0xd7 - 0xb0 + 1 }, (_, i) => 0xb0 + i);
  const characters = rows.flatMap((row) =>
    Array.from({ length: 94 }, (_, column) => decoder.decode(Uint8Array.of(row, 0xa1 + column))),
  );
  return characters.filter((character) => /^\p{sc=Han}$/u.test(character));
}

/** Small letters of the scripts that no text here is written in, so that their words are told apart all the same. */
const otherLetters = [
  ...range(0x3b1, 0x3c9),
  ...range(0x430, 0x44f),
  ...range(0x3041, 0x3093),
  ...range(0x30a1, 0x30f6),
];

/** Chinese pieces of four characters and more are phrases rather than words; a question seldom has the same one. */
const phrase = /^\p{sc=Han}{4}/u;
/** Pieces that are learned for each that is kept. */
const LEARNED = 1.25;

/**
 * The tokenizer.json. Words are cut at white space and punctuation before the model, and pieces carry no mark of where a
 * word begins: a vocabulary without twins, and a bag of pieces needs no way back to the text.
 */
export async function trainTokenizer(
  texts: AsyncIterable<string>,
  vocabSize: number,
  onProgress: (progress: TrainingProgress) => void,
) {
  const words = await countWords(texts, cutterOf(normalizer, pretokenizer), onProgress);
  const initialAlphabet = [...range(0x21, 0x40), ...range(0x5b, 0x7e), ...otherLetters, ...commonHan()];
  const alphabet = chooseAlphabet("embedder", words, { initialAlphabet, characterCoverage: 0.9999 });
  const specialTokens = ["<unk>"];
  const learned = learnUnigram(words, {
    trainer: "embedder",
    vocabSize: Math.round(vocabSize * LEARNED),
    numReserved: specialTokens.length,
    alphabet,
    maxPieceLength: 14,
    minFrequency: 4,
    maxSeeds: 400_000,
    onProgress,
  });
  const pieces = learned
    .filter(({ text }) => !phrase.test(text))
    .map((piece, i) => ({ ...piece, rank: [...piece.text].length === 1 ? -1 : i }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, vocabSize - specialTokens.length)
    .sort((a, b) => b.score - a.score);
  const vocab = [...specialTokens.map((token) => [token, 0]), ...pieces.map(({ text, score }) => [text, score])];
  const model = { type: "Unigram", unk_id: 0, vocab, byte_fallback: false };
  return tokenizerFile({ normalizer, pre_tokenizer: pretokenizer, model }, specialTokens);
}
