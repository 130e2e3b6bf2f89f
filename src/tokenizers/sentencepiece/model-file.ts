/** @file Reads the model file of SentencePiece (sentencepiece_model.proto). */

import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { fieldsOf, floatOf } from "../../base/protobuf.js";
import { algorithms, type Piece, pieceKinds, type SentencePieceAlgorithm, type SentencePieceModel } from "./pieces.js";

const file = "SentencePiece model";

/** What the specs of a file say; values that it leaves out have the schema's defaults. */
interface Specs {
  algorithm: number;
  fallsBackToBytes: boolean;
  marksWordEnds: boolean;
  unknownSurface: string;
  charsmap: Uint8Array | undefined;
  addsDummyPrefix: boolean;
  removesExtraSpaces: boolean;
  escapesSpaces: boolean;
}

/**
 * The model in the bytes of a file, such as tokenizer.model or spiece.model.
 * @throws CheckpointError when the bytes are not such a file.
 * @throws UnsupportedError on a model that changes texts after decoding.
 */
export function readSentencePieceModel(bytes: Uint8Array): SentencePieceModel {
  const pieces: Piece[] = [];
  const specs: Specs = {
    algorithm: 1,
    fallsBackToBytes: false,
    marksWordEnds: false,
    unknownSurface: " ⁇ ",
    charsmap: undefined,
    addsDummyPrefix: true,
    removesExtraSpaces: true,
    escapesSpaces: true,
  };
  for (const { number, value } of fieldsOf(bytes, file)) {
    if (typeof value === "number") continue;
    if (number === 1) pieces.push(readPiece(value, pieces.length));
    else if (number === 2) readTrainerSpec(value, specs);
    else if (number === 3) readNormalizerSpec(value, specs);
    else if (number === 5) rejectDenormalizer(value);
  }
  if (pieces.length === 0)
    throw new CheckpointError(`${file}: the file has no pieces; it is not a SentencePiece model`);
  return {
    algorithm: algorithmOf(specs.algorithm),
    pieces,
    normalization: {
      charsmap: specs.charsmap,
      addsDummyPrefix: specs.addsDummyPrefix,
      removesExtraSpaces: specs.removesExtraSpaces,
      spaceMark: specs.escapesSpaces ? "▁" : " ",
      marksWordEnds: specs.marksWordEnds,
    },
    fallsBackToBytes: specs.fallsBackToBytes,
    unknownSurface: specs.unknownSurface,
  };
}

function readPiece(bytes: Uint8Array, id: number): Piece {
  let [text, score, type] = ["", 0, 1];
  for (const { number, value } of fieldsOf(bytes, file)) {
    if (number === 1 && typeof value !== "number") text = textOf(value);
    else if (number === 2) score = floatOf(value);
    else if (number === 3 && typeof value === "number") type = value;
  }
  const kind = pieceKinds.get(type);
  if (kind === undefined || Number.isNaN(score)) {
    throw new CheckpointError(
      `${file}: piece ${id} "${text}" has type ${type} and score ${score}; the file is damaged`,
    );
  }
  return { text, score, kind };
}

function readTrainerSpec(bytes: Uint8Array, specs: Specs): void {
  for (const { number, value } of fieldsOf(bytes, file)) {
    if (number === 44 && typeof value !== "number") specs.unknownSurface = textOf(value);
    if (typeof value !== "number") continue;
    if (number === 3) specs.algorithm = value;
    else if (number === 24) specs.marksWordEnds = value !== 0;
    else if (number === 35) specs.fallsBackToBytes = value !== 0;
  }
}

function readNormalizerSpec(bytes: Uint8Array, specs: Specs): void {
  for (const { number, value } of fieldsOf(bytes, file)) {
    if (number === 2 && typeof value !== "number") specs.charsmap = value.length === 0 ? undefined : value;
    if (typeof value !== "number") continue;
    if (number === 3) specs.addsDummyPrefix = value !== 0;
    else if (number === 4) specs.removesExtraSpaces = value !== 0;
    else if (number === 5) specs.escapesSpaces = value !== 0;
  }
}

function rejectDenormalizer(bytes: Uint8Array): void {
  for (const { number, value } of fieldsOf(bytes, file)) {
    if (number !== 2 || typeof value === "number" || value.length === 0) continue;
    throw new UnsupportedError(`${file}: a denormalizer_spec with a charsmap is not supported`);
  }
}

function algorithmOf(type: number): SentencePieceAlgorithm {
  const algorithm = algorithms[type - 1];
  if (algorithm !== undefined) return algorithm;
  throw new UnsupportedError(
    `${file}: model_type ${type} is not supported; known are 1 to 4 (${algorithms.join(", ")})`,
  );
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
