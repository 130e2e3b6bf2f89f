/** @file How texts are normalised and cut for training: by the entries of tokenizer.json that the tokenizer will follow. */

import { assert } from "../../base/errors.js";
import type { TokenizerFile } from "../formats/format.js";
import { readNormalizer } from "../normalizers/index.js";
import { flattened, readSteps } from "../pretokenizers/steps.js";
import type { WordCutter } from "./word-counts.js";

type NormalizerEntry = TokenizerFile["normalizer"];
type PretokenizerEntry = TokenizerFile["pre_tokenizer"];

/** By name. `bert-uncased` and `bert-cased` are what BERT's vocabularies were made for. */
export const trainingNormalizers = {
  none: null,
  nfc: { type: "NFC" },
  nfkc: { type: "NFKC" },
  "nfkc-lowercase": { type: "Sequence", normalizers: [{ type: "NFKC" }, { type: "Lowercase" }] },
  "bert-cased": bert(false),
  "bert-uncased": bert(true),
} as const satisfies Record<string, NormalizerEntry>;

/** By name. `bert` cuts at white space and around each punctuation character, `words` at the edges of words. */
export const trainingPretokenizers = {
  bert: { type: "BertPreTokenizer" },
  words: { type: "Whitespace" },
  spaces: { type: "WhitespaceSplit" },
} as const satisfies Record<string, PretokenizerEntry>;

/** The cutter of two entries, of which the pre-tokenizer changes the text at most before it cuts. */
export function cutterOf(normalizer: NormalizerEntry, pretokenizer: PretokenizerEntry): WordCutter {
  const change = readNormalizer(normalizer);
  const [step, ...more] = readSteps(flattened(pretokenizer));
  assert(step !== undefined && more.length === 0, "trainers cut words in one step");
  return {
    normalize(text) {
      const normalized = change?.apply(text, true) ?? text;
      return step.change?.apply(normalized, true) ?? normalized;
    },
    pretokenizer: step.pretokenizer,
  };
}

function bert(isUncased: boolean) {
  const settings = { clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: isUncased };
  return { type: "BertNormalizer", ...settings };
}
