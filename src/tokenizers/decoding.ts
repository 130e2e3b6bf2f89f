/** @file From ids to text: what a tokenizer's decoder sees of each id, at once or one by one. */

import { ByteBuffer } from "./algorithms/byte-buffer.js";
import type { TokenDecoder } from "./decoders/decoder.js";

/** An id as decoding sees it. */
export interface DecodedToken {
  readonly token: string;
  readonly id: number;
  /** Found in texts as it stands, hence written as it stands. */
  readonly isAdded: boolean;
}

/** How one kind of tokenizer turns ids into text. */
export interface Decoding {
  open(): DecodingState;
  /** Faster than one by one, with the same result. */
  decodeAll?(tokens: Iterable<DecodedToken | typeof newText>): string;
}

export interface DecodingState {
  /** The text that the token completes. */
  push(token: DecodedToken): string;
  /** Text of what is left unfinished. */
  flush(): string;
  /** A mark such as BOS has come: a text begins anew. */
  restart(): void;
}

/** Stands among tokens for a mark after which a text begins anew. */
export const newText = Symbol("new text");

/** Tokens go through the steps of a decoder. */
export function stepwise(decoder: TokenDecoder): Decoding {
  return {
    open() {
      const state = decoder.open();
      return {
        push: ({ token }) => state.push(token).join(""),
        flush: () => state.end().join(""),
        restart: () => undefined,
      };
    },
  };
}

export interface BytewiseOptions {
  /** UTF-8 bytes, or parts of a character's, of a vocabulary entry. */
  bytesOf(token: string, id: number): Uint8Array;
  /** Whether the space of the first token is left out, or one space per token until there is text. */
  readonly dropsSpaces?: "none" | "one" | "all";
  /** What a space is in a token that begins with one; Default a space. */
  readonly spaceMark?: string;
}

/** Each token stands for bytes; together they are UTF-8. Broken sequences become U+FFFD. */
export function bytewise({ bytesOf, dropsSpaces = "none", spaceMark = " " }: BytewiseOptions): Decoding {
  const known: (Uint8Array | undefined)[] = [];
  const bytesById = ({ token, id, isAdded }: DecodedToken): Uint8Array => {
    known[id] ??= isAdded ? new TextEncoder().encode(token) : bytesOf(token, id);
    return known[id];
  };
  /** Gives the bytes of one token after the other. */
  const opened = (): { next(token: DecodedToken): Uint8Array; restart(): void } => {
    let isAtStart = true;
    return {
      next(token) {
        const bytes = bytesById(token);
        if (!isAtStart || dropsSpaces === "none") return bytes;
        const dropped = token.token.startsWith(spaceMark) ? 1 : 0;
        isAtStart = dropsSpaces === "all" && dropped === bytes.length;
        return bytes.subarray(dropped);
      },
      restart() {
        isAtStart = true;
      },
    };
  };
  return {
    open() {
      const state = opened();
      const decoder = utf8Decoder();
      return {
        push: (token) => decoder.decode(state.next(token), { stream: true }),
        flush: () => decoder.decode(),
        restart: state.restart,
      };
    },
    decodeAll(tokens) {
      const state = opened();
      const bytes = new ByteBuffer();
      for (const token of tokens) {
        if (token === newText) state.restart();
        else bytes.append(state.next(token));
      }
      return utf8Decoder().decode(bytes.view());
    },
  };
}

/** A byte order mark is text like any other: decoding must give back what was encoded. */
function utf8Decoder() {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}
