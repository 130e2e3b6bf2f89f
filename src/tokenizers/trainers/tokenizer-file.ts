/** @file The entries of tokenizer.json that several trainers write. */

import { ConfigError } from "../../base/errors.js";
import type { TokenizerFile } from "../formats/format.js";
import { bytePiece } from "../vocabulary.js";

/** SentencePiece's mark for a space, U+2581. */
export const spaceMark = "▁";

export function marked(token: string): string {
  return token.replaceAll(" ", spaceMark);
}

/**
 * An alphabet of texts whose spaces will be marks: the space comes where the mark would, so that ids are in the order of
 * the characters that the vocabulary shows. `▁` itself stands for a space and is no character of its own.
 */
export function markedAlphabet(alphabet: readonly string[]): string[] {
  const place = (character: string): number => marked(character).codePointAt(0)!;
  return alphabet.filter((character) => character !== spaceMark).sort((a, b) => place(a) - place(b));
}

/** SentencePiece's byte tokens, by byte. */
export const byteTokens: readonly string[] = Array.from({ length: 256 }, (_, byte) => bytePiece(byte));

/** A file around a model: no truncation, no padding, the special tokens found in texts. */
export function tokenizerFile(
  parts: Pick<TokenizerFile, "model"> &
    Partial<Pick<TokenizerFile, "normalizer" | "pre_tokenizer" | "post_processor" | "decoder">>,
  specialTokens: readonly string[],
): TokenizerFile {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: parts.normalizer ?? null,
    pre_tokenizer: parts.pre_tokenizer ?? null,
    post_processor: parts.post_processor ?? null,
    decoder: parts.decoder ?? null,
    model: parts.model,
  };
}

/** The `model` entry of BPE whose symbols are characters. */
export function bpeModel(model: {
  readonly tokens: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
  readonly unkToken: string | null;
  readonly byteFallback: boolean;
}): TokenizerFile["model"] {
  return {
    type: "BPE",
    dropout: null,
    unk_token: model.unkToken,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: model.unkToken !== null,
    byte_fallback: model.byteFallback,
    ignore_merges: false,
    vocab: vocabOf(model.tokens),
    merges: model.merges,
  };
}

/** A `vocab` entry. Without a prototype, so that a token `__proto__` is one like any other. */
export function vocabOf(tokens: readonly string[]): Record<string, number> {
  const vocab: Record<string, number> = Object.create(null);
  tokens.forEach((token, id) => {
    vocab[token] = id;
  });
  return vocab;
}

/** @throws ConfigError when special tokens repeat, are empty or lack one that the model needs. */
export function checkSpecialTokens(trainer: string, tokens: readonly string[], needed: readonly string[]): void {
  const repeated = tokens.find((token, i) => token === "" || tokens.indexOf(token) !== i);
  if (repeated !== undefined) {
    throw new ConfigError(`${trainer} training: specialTokens must differ and not be empty, got "${repeated}"`);
  }
  const missing = needed.find((token) => !tokens.includes(token));
  if (missing !== undefined) {
    throw new ConfigError(
      `${trainer} training: specialTokens must include "${missing}", got ${JSON.stringify(tokens)}`,
    );
  }
}
