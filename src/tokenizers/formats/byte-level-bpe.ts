/** @file What training byte-level BPE needs of the format that it writes. */

import { UnsupportedError } from "../../base/errors.js";
import type { Pretokenizer } from "../pretokenizers/pretokenizer.js";
import { flattened, readSteps } from "../pretokenizers/steps.js";
import { bpeFormat } from "./bpe.js";
import type { TokenizerFile } from "./format.js";

export { bpeFormat as byteLevelBpeFormat };

/**
 * The cuts of a `pre_tokenizer` entry whose last step is `ByteLevel`, after which there are bytes, not text.
 * @throws UnsupportedError when it is anything else, or changes the text before that.
 */
export function readByteLevel(entry: TokenizerFile["pre_tokenizer"]): { readonly pretokenizer: Pretokenizer } {
  const entries = flattened(entry);
  const [step, ...more] = readSteps(entries, true);
  if (entries.at(-1)?.type !== "ByteLevel" || step === undefined || step.change !== undefined || more.length > 0) {
    throw new UnsupportedError("training byte-level BPE: expected a pre-tokenizer of cuts that ends in ByteLevel");
  }
  return step;
}
