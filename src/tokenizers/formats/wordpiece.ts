/** @file Reads and writes WordPiece in tokenizer.json: BERT and its kin. */

import { z } from "zod";
import { assert } from "../../base/errors.js";
import { WordPiece } from "../algorithms/wordpiece.js";
import { parseEntry } from "../json-entry.js";
import { readSteps } from "../pretokenizers/steps.js";
import type { ModelFormat } from "./format.js";
import { idOfSetting, readVocab, vocabSchema, writeVocab } from "./vocab.js";

const modelSchema = z.strictObject({
  type: z.literal("WordPiece"),
  unk_token: z.string().default("[UNK]"),
  continuing_subword_prefix: z.string().default("##"),
  max_input_chars_per_word: z.int().nonnegative().default(100),
  vocab: vocabSchema,
});

export const wordPieceFormat: ModelFormat = {
  name: "WordPiece",
  read({ entry, pretokenizers, hidden }) {
    const settings = parseEntry(modelSchema, entry, "model WordPiece");
    const vocabulary = readVocab(settings.vocab);
    const model = new WordPiece({
      vocabulary,
      unkId: idOfSetting(vocabulary, "unk_token", settings.unk_token),
      continuingPrefix: settings.continuing_subword_prefix,
      maxWordLength: settings.max_input_chars_per_word,
      hidden,
    });
    return { model, steps: readSteps(pretokenizers) };
  },
  write(model) {
    assert(model instanceof WordPiece, "a tokenizer of this format has a WordPiece model");
    const { unkId, continuingPrefix, maxWordLength } = model.options;
    return {
      type: "WordPiece",
      unk_token: model.token(unkId),
      continuing_subword_prefix: continuingPrefix,
      max_input_chars_per_word: maxWordLength,
      vocab: writeVocab(model.vocabulary.tokens),
    };
  },
};
