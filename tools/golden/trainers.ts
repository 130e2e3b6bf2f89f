/** @file Trains small tokenizers on the texts of the golden file and prints them as JSON, for tools/golden/trainers.py. */

import { readFileSync } from "node:fs";
import {
  sentencePieceModel,
  trainCharacterBpe,
  trainCharacterLevel,
  trainSentencePiece,
  trainUnigram,
  trainWordLevel,
  trainWordPiece,
} from "../../src/tokenizers/trainers/index.js";

async function main(path: string): Promise<void> {
  const { texts, vocabSizes } = JSON.parse(readFileSync(path, "utf8")) as {
    texts: string[];
    vocabSizes: { words: number; raw: number };
  };
  const files = {
    "character-bpe": await trainCharacterBpe(texts, { vocabSize: vocabSizes.words }),
    "character-level": await trainCharacterLevel(texts),
    "sentencepiece-bpe": await trainSentencePiece(texts, { vocabSize: vocabSizes.raw, algorithm: "bpe" }),
    "sentencepiece-unigram": await trainSentencePiece(texts, { vocabSize: vocabSizes.raw, algorithm: "unigram" }),
    unigram: await trainUnigram(texts, { vocabSize: vocabSizes.words, prefixSpace: "never" }),
    "word-level": await trainWordLevel(texts),
    wordpiece: await trainWordPiece(texts, { vocabSize: vocabSizes.words }),
  };
  const models = Object.fromEntries(
    (["sentencepiece-bpe", "sentencepiece-unigram"] as const).map((name) => [
      name,
      Buffer.from(sentencePieceModel(files[name])).toString("base64"),
    ]),
  );
  console.log(JSON.stringify({ files, models }));
}

await main(process.argv[2]!);
