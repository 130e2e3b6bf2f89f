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

export interface PairOptions extends EncodeOptions {
  /** Most ids of all. Texts that are too long are cut at their ends, the longer one first, to equal lengths if need be. */
  readonly maxLength?: number;
}

/**
 * Two texts with the ids of the tokenizer's template for pairs, such as `[CLS] first [SEP] second [SEP]`.
 * @throws ConfigError when the tokenizer has no template for two texts, or `maxLength` has no room for it.
 */
export function encodePair(
  tokenizer: Tokenizer,
  first: string,
  second: string,
  options: PairOptions = {},
): TemplatedEncoding {
  if (tokenizer.pairTemplate === undefined) {
    throw new ConfigError("encodePair: the tokenizer has no template for two texts; encode each and join the ids");
  }
  const { maxLength = Number.POSITIVE_INFINITY, ...encodeOptions } = options;
  const numFixed = tokenizer.pairTemplate.reduce((sum, piece) => sum + ("ids" in piece ? piece.ids.length : 0), 0);
  if (maxLength < numFixed) {
    throw new ConfigError(
      `encodePair: expected a maxLength of at least ${numFixed}, the template's own ids, got ${maxLength}`,
    );
  }
  const texts = cutPair(
    tokenizer.encode(first, encodeOptions),
    tokenizer.encode(second, encodeOptions),
    maxLength - numFixed,
  );
  const idsOf = (piece: TemplatePiece): readonly number[] | Int32Array =>
    "ids" in piece ? piece.ids : texts[piece.text];
  return {
    ids: Int32Array.from(tokenizer.pairTemplate.flatMap((piece) => [...idsOf(piece)])),
    typeIds: Int32Array.from(tokenizer.pairTemplate.flatMap((piece) => Array.from(idsOf(piece), () => piece.typeId))),
  };
}

/** As `longest_first` of Hugging Face's tokenizers: of an odd number the second text has one more, unless it is the shorter. */
function cutPair(first: Int32Array, second: Int32Array, room: number): Record<"first" | "second", Int32Array> {
  if (first.length + second.length <= room) return { first, second };
  const isFirstLonger = first.length > second.length;
  const [short, long] = isFirstLonger ? [second, first] : [first, second];
  const numShort = Math.min(short.length, Math.floor(room / 2));
  const cut = [short.subarray(0, numShort), long.subarray(0, room - numShort)] as const;
  return isFirstLonger ? { first: cut[1], second: cut[0] } : { first: cut[0], second: cut[1] };
}
