/** @file Encodes one text or two with all that a model expects around them. */

import { ConfigError } from "../base/errors.js";
import type { EncodeOptions, TemplatePiece, Tokenizer } from "./tokenizer.js";

export interface TemplatedEncoding {
  readonly ids: Int32Array;
  /** Which text each token belongs to (BERT's `token_type_ids`), as the template says. */
  readonly typeIds: Int32Array;
}

/** One text with the ids of the tokenizer's template. */
export function encodeSingle(tokenizer: Tokenizer, text: string, options?: EncodeOptions): TemplatedEncoding {
  const { prefix, suffix } = tokenizer.template;
  const ids = Int32Array.from([...prefix, ...tokenizer.encode(text, options), ...suffix]);
  return { ids, typeIds: new Int32Array(ids.length) };
}

/**
 * Two texts with the ids of the tokenizer's template for pairs, such as `[CLS] first [SEP] second [SEP]`.
 * @throws ConfigError when the tokenizer has no template for two texts.
 */
export function encodePair(
  tokenizer: Tokenizer,
  first: string,
  second: string,
  options?: EncodeOptions,
): TemplatedEncoding {
  if (tokenizer.pairTemplate === undefined) {
    throw new ConfigError("encodePair: the tokenizer has no template for two texts; encode each and join the ids");
  }
  const texts = { first: tokenizer.encode(first, options), second: tokenizer.encode(second, options) };
  const idsOf = (piece: TemplatePiece): readonly number[] | Int32Array =>
    "ids" in piece ? piece.ids : texts[piece.text];
  return {
    ids: Int32Array.from(tokenizer.pairTemplate.flatMap((piece) => [...idsOf(piece)])),
    typeIds: Int32Array.from(tokenizer.pairTemplate.flatMap((piece) => Array.from(idsOf(piece), () => piece.typeId))),
  };
}
