/** @file What each id of a tokenizer adds to a text, as bytes. */

import { UnsupportedError } from "../../../base/errors.js";

/** The part of a tokenizer that tells; `Tokenizer` has it. */
export interface TokenText {
  readonly vocabSize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  encode(text: string): ArrayLike<number>;
  decode(ids: ArrayLike<number>): string;
  token(id: number): string | undefined;
}

const replacement = "\ufffd";

/**
 * Bytes by id. Undefined for special tokens, which are no text, for ids without a token, and for those whose bytes
 * cannot be known for certain.
 * @throws UnsupportedError when the tokenizer changes the text before a token.
 */
export function tokenBytes(tokenizer: TokenText): (Uint8Array | undefined)[] {
  const special = new Set(tokenizer.specialTokens.values());
  const after = anchorOf(tokenizer);
  return Array.from({ length: tokenizer.vocabSize }, (_, id) => {
    const token = special.has(id) ? undefined : tokenizer.token(id);
    if (token === undefined) return undefined;
    const added = addedBy(tokenizer, after, id);
    if (added === undefined) return undefined;
    return added.includes(replacement) ? bytesOfEntry(token, added) : new TextEncoder().encode(added);
  });
}

interface Anchor {
  readonly ids: readonly number[];
  readonly text: string;
}

/** A text for tokens to follow, since some tokenizers leave out the space of the first one. */
function anchorOf(tokenizer: TokenText): Anchor {
  for (const text of ["a", "A", "0", ".", "-", "the"]) {
    const ids = Array.from(tokenizer.encode(text));
    if (ids.length > 0 && tokenizer.decode(ids) === text) return { ids, text };
  }
  throw new UnsupportedError(
    "constraint: this tokenizer does not give back the texts it encodes, so that its tokens have no certain bytes; use a lossless one",
  );
}

function addedBy(tokenizer: TokenText, after: Anchor, id: number): string | undefined {
  const text = tokenizer.decode([...after.ids, id]);
  return text.startsWith(after.text) ? text.slice(after.text.length) : undefined;
}

/** Bytes of an entry that is not UTF-8 by itself: `<0xE4>` is a byte, others are in GPT-2's alphabet of bytes. */
function bytesOfEntry(token: string, added: string): Uint8Array | undefined {
  const byte = /^<0x([\da-fA-F]{2})>$/.exec(token)?.[1];
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  if (token === added) return new TextEncoder().encode(token);
  const bytes = Array.from(token, (symbol) => byteOfSymbol(symbol.codePointAt(0)!));
  if (!bytes.every((value) => value !== undefined)) return undefined;
  const result = Uint8Array.from(bytes);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(result) === added ? result : undefined;
}

/** Printable Latin-1 stands for itself, the other 68 bytes for U+0100 and on (Radford et al. 2019, GPT-2). */
function byteOfSymbol(codePoint: number): number | undefined {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
  if (codePoint < 0x100) return isPrintable(codePoint) ? codePoint : undefined;
  let shifted = codePoint - 0x100;
  for (let byte = 0; byte < 256; byte++) if (!isPrintable(byte) && shifted-- === 0) return byte;
  return undefined;
}
