/** @file Reads and writes word-level vocabularies in tokenizer.json. */

import { z } from "zod";
import { assert } from "../../base/errors.js";
import { WordLevel } from "../algorithms/word-level.js";
import { parseEntry } from "../json-entry.js";
import { readSteps } from "../pretokenizers/steps.js";
import type { ModelFormat } from "./format.js";
import { readVocab, vocabSchema, writeVocab } from "./vocab.js";

const modelSchema = z.strictObject({
  type: z.literal("WordLevel"),
  unk_token: z.string().nullish(),
  vocab: vocabSchema,
});

export const wordLevelFormat: ModelFormat = {
  name: "WordLevel",
  read({ entry, pretokenizers, hidden }) {
    const { unk_token: unkToken, vocab } = parseEntry(modelSchema, entry, "model WordLevel");
    const vocabulary = readVocab(vocab);
    // a vocabulary without its unknown token is only an error once a word is unknown
    const unkId = unkToken ? vocabulary.id(unkToken) : undefined;
    return { model: new WordLevel({ vocabulary, unkId, hidden }), steps: readSteps(pretokenizers) };
  },
  write(model) {
    assert(model instanceof WordLevel, "a tokenizer of this format has a word-level model");
    const { unkId } = model.options;
    return {
      type: "WordLevel",
      vocab: writeVocab(model.vocabulary.tokens),
      unk_token: unkId === undefined ? "<unk>" : model.token(unkId),
    };
  },
};
