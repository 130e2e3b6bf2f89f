/** @file Decoder steps for vocabularies of bytes. */

import { bytesOf } from "../algorithms/byte-alphabet.js";
import { byteOfPiece } from "../vocabulary.js";
import type { DecoderStep } from "./decoder.js";

/** Tokens such as `<0xE4>` become text: a run of them that is not UTF-8 becomes U+FFFD, one per byte (`ByteFallback`). */
export const byteFallback: DecoderStep = {
  open() {
    let bytes: number[] = [];
    const flush = (): string[] => {
      const text = bytes.length === 0 ? [] : [textOf(bytes)];
      bytes = [];
      return text;
    };
    return {
      push(token) {
        const byte = byteOfPiece(token);
        if (byte === undefined) return [...flush(), token];
        bytes.push(byte);
        return [];
      },
      end: flush,
    };
  },
};

/** Tokens in the byte alphabet become text; broken bytes become U+FFFD (`ByteLevel`). */
export const byteLevel: DecoderStep = {
  open() {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (token) => [decoder.decode(bytesOf(token), { stream: true })],
      end: () => [decoder.decode()],
    };
  },
};

function textOf(bytes: readonly number[]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return "\ufffd".repeat(bytes.length);
  }
}
