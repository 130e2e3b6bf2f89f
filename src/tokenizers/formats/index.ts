/** @file The kinds of model that tokenizer.json can hold, by `model.type`. */

import { bpeFormat } from "./bpe.js";
import type { ModelFormat } from "./format.js";
import { unigramFormat } from "./unigram.js";
import { wordLevelFormat } from "./word-level.js";
import { wordPieceFormat } from "./wordpiece.js";

export const tokenizerModels = {
  BPE: bpeFormat,
  Unigram: unigramFormat,
  WordLevel: wordLevelFormat,
  WordPiece: wordPieceFormat,
} as const satisfies Record<string, ModelFormat>;
