/** @file Reads tokenizer.bin of llama2.c (karpathy/llama2.c, tokenizer.py and run.c). */

import { CheckpointError } from "../base/errors.js";
import type { Piece } from "./sentencepiece/pieces.js";
import { sentencePieceTokenizer } from "./sentencepiece/tokenizer.js";
import type { Tokenizer } from "./tokenizer.js";
import { bytePiece } from "./vocabulary.js";

/** The file names no kinds, but run.c knows the first ids: unknown, beginning, end, then the 256 bytes. */
const controls = ["<unk>", "<s>", "</s>"];
const numBytes = 256;

/**
 * The tokenizer in the bytes of a tokenizer.bin, with the ids of run.c: a text gets a space in front, which decoding
 * drops. BOS is the template's prefix. Two differences, both for the better: a text may hold NUL characters, and text
 * that reads `<0x41>` or like a special token is only text.
 * @throws CheckpointError when the bytes are not such a file.
 */
export function tokenizerFromLlama2c(bytes: Uint8Array): Tokenizer {
  return sentencePieceTokenizer(
    {
      algorithm: "bpe",
      pieces: readPieces(bytes),
      normalization: {
        charsmap: undefined,
        addsDummyPrefix: true,
        removesExtraSpaces: false,
        spaceMark: " ",
        marksWordEnds: false,
      },
      fallsBackToBytes: true,
      unknownSurface: "",
    },
    {
      specialKinds: ["control", "unknown"],
      template: { prefix: [controls.indexOf("<s>")], suffix: [] },
    },
  );
}

/** After the longest length (int32): score (float32), length (int32) and UTF-8 of each token; little-endian. */
function readPieces(bytes: Uint8Array): Piece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const pieces: Piece[] = [];
  for (let at = 4; at < bytes.length; ) {
    const length = at + 8 <= bytes.length ? view.getInt32(at + 4, true) : -1;
    if (length < 0 || at + 8 + length > bytes.length) {
      throw new CheckpointError(`llama2.c tokenizer: token ${pieces.length} at byte ${at} does not fit into the file`);
    }
    const text = decoder.decode(bytes.subarray(at + 8, at + 8 + length));
    pieces.push(pieceOf(pieces.length, text, view.getFloat32(at, true)));
    at += 8 + length;
  }
  if (pieces.length < controls.length + numBytes) {
    throw new CheckpointError(`llama2.c tokenizer: expected at least 259 tokens, the file has ${pieces.length}`);
  }
  return pieces;
}

function pieceOf(id: number, text: string, score: number): Piece {
  const content = controls[id];
  if (content !== undefined) return { text: content, score, kind: id === 0 ? "unknown" : "control" };
  const byte = id - controls.length;
  if (byte >= numBytes) return { text, score, kind: "normal" };
  const name = bytePiece(byte);
  if (text === name) return { text, score, kind: "byte" };
  throw new CheckpointError(`llama2.c tokenizer: expected ${name} as token ${id}, the file has "${text}"`);
}
