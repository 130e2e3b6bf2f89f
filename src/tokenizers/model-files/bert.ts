/** @file Reads vocab.txt, the vocabulary of BERT and its kin: one token per line. */

import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import type { TokenizerFile } from "../formats/format.js";
import { linesOf, type TokenizerConfig } from "./config.js";

const known =
  /^(?:Bert|ConvBert|DistilBert|DPR\w*|Electra|Funnel|LayoutLM|LayoutLMv2|Lxmert|MobileBert|RetriBert|SqueezeBert)Tokenizer$/;
const defaults = { unk: "[UNK]", sep: "[SEP]", pad: "[PAD]", cls: "[CLS]", mask: "[MASK]" } as const;

/**
 * What tokenizer.json would say. Without a configuration the text is lowered, as BertTokenizer does.
 * @throws CheckpointError when tokens that a text needs are missing.
 * @throws UnsupportedError on a class of tokenizer that cuts texts in other ways.
 */
export function bertFile(vocabulary: Uint8Array, config: TokenizerConfig): TokenizerFile {
  const name = config.tokenizerClass;
  if (name !== undefined && !known.test(name)) {
    throw new UnsupportedError(
      `vocab.txt: tokenizer_class ${name} is not supported; save the tokenizer as tokenizer.json with transformers`,
    );
  }
  if (config.flag("do_basic_tokenize") === false) {
    throw new UnsupportedError(
      "vocab.txt: do_basic_tokenize false is not supported; save the tokenizer as tokenizer.json",
    );
  }
  const tokens = linesOf(vocabulary);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const idOf = (role: "unk" | "cls" | "sep"): readonly [string, number] => {
    const token = config.token(role) ?? defaults[role];
    const id = ids.get(token);
    if (id === undefined)
      throw new CheckpointError(`vocab.txt: expected the ${role} token ${token} among ${tokens.length}`);
    return [token, id];
  };
  const [unk] = idOf("unk");
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: config.addedTokens((token) => ids.get(token), defaults),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config.flag("tokenize_chinese_chars") ?? true,
      strip_accents: config.flag("strip_accents") ?? null,
      lowercase: config.flag("do_lower_case") ?? true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", sep: idOf("sep"), cls: idOf("cls") },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unk,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(ids),
    },
  };
}
