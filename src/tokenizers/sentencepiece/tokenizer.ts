/** @file Makes a tokenizer of a SentencePiece model, with the ids of that library. */

import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import type { AddedToken } from "../added-tokens.js";
import { CharacterBpe } from "../algorithms/character-bpe.js";
import { MarkedWords } from "../algorithms/marked-words.js";
import { PairTable } from "../algorithms/pair-table.js";
import { scorePairs } from "../algorithms/score-pairs.js";
import { Trie } from "../algorithms/trie.js";
import { Unigram, unknownPenalty } from "../algorithms/unigram.js";
import type { UnknownRule } from "../algorithms/unknown.js";
import { bytewise } from "../decoding.js";
import { type PipelineParts, PipelineTokenizer } from "../pipeline.js";
import { type Pretokenizer, wholeText } from "../pretokenizers/pretokenizer.js";
import { markedWords } from "../pretokenizers/words.js";
import type { TokenModel } from "../token-model.js";
import type { SequenceTemplate } from "../tokenizer.js";
import { byteOfPiece, bytePieceIds, Vocabulary } from "../vocabulary.js";
import { readSentencePieceModel } from "./model-file.js";
import { normalizationOf } from "./normalization.js";
import type { Piece, PieceKind, SentencePieceModel } from "./pieces.js";

export interface SentencePieceOptions {
  /** Ids that the model expects around a text. Default none: the library adds none by itself. */
  readonly template?: SequenceTemplate;
  /** Kinds of piece that are special tokens. Default: control. */
  readonly specialKinds?: readonly PieceKind[];
  /**
   * Kinds of piece that are found in the raw text as added tokens, with a dummy prefix after each, as llama.cpp does.
   * Default none: the library finds user-defined pieces within the words around them.
   */
  readonly fixedKinds?: readonly PieceKind[];
  /** Sums of log probabilities: `float` (default) as SentencePiece has them, `double` as llama.cpp. */
  readonly precision?: "float" | "double";
  /** More tokens than the file has, found in texts before all else. */
  readonly addedTokens?: readonly AddedToken[];
}

/**
 * The tokenizer in the bytes of a SentencePiece model file (tokenizer.model, spiece.model), with that library's ids:
 * BPE, Unigram, word and character models. Decoding gives ` ⁇ ` (the file's `unk_surface`) for the unknown token.
 * @throws CheckpointError when the bytes are not such a file.
 * @throws UnsupportedError naming what is not supported.
 */
export function tokenizerFromSentencePiece(bytes: Uint8Array, options?: SentencePieceOptions): PipelineTokenizer {
  return sentencePieceTokenizer(readSentencePieceModel(bytes), options);
}

/** A tokenizer with the model that it was made of. */
export class SentencePieceTokenizer extends PipelineTokenizer {
  constructor(
    readonly source: SentencePieceModel,
    parts: PipelineParts,
  ) {
    super(parts);
  }
}

/**
 * The tokenizer of a model that has been read.
 * @throws CheckpointError when pieces that the model needs are missing.
 */
export function sentencePieceTokenizer(
  model: SentencePieceModel,
  options: SentencePieceOptions = {},
): SentencePieceTokenizer {
  const { pieces, normalization } = model;
  const { specialKinds = ["control"], fixedKinds = [], template = { prefix: [], suffix: [] } } = options;
  const fixed = fixedKinds.includes("userDefined") ? new Map<string, number>() : piecesOf(pieces, ["userDefined"]);
  const fixedTrie = fixed.size === 0 ? undefined : new Trie(fixed);
  const added = pieces.flatMap(({ text, kind }, id) => {
    const isSpecial = specialKinds.includes(kind);
    return isSpecial || fixedKinds.includes(kind) ? [addedToken(text, id, isSpecial)] : [];
  });
  const dropsFirst = normalization.addsDummyPrefix ? "one" : "none";
  return new SentencePieceTokenizer(model, {
    model: tokenModel(model, fixedTrie, options.precision ?? "float"),
    steps: [{ change: normalizationOf(normalization, fixedTrie, fixedKinds.length > 0), pretokenizer: cuts(model) }],
    addedTokens: [...added, ...(options.addedTokens ?? [])],
    template,
    decoding: bytewise({
      bytesOf: (token, id) => pieceBytes(model, pieces[id]?.kind, token),
      dropsSpaces: normalization.removesExtraSpaces ? "all" : dropsFirst,
      spaceMark: normalization.spaceMark,
    }),
  });
}

function tokenModel(model: SentencePieceModel, fixed: Trie | undefined, precision: "float" | "double"): TokenModel {
  const { algorithm, pieces, normalization } = model;
  const vocabulary = new Vocabulary(pieces.map(({ text }) => text));
  const unknown = unknownRule(model);
  if (algorithm === "unigram") return unigram(model, vocabulary, unknown, precision);
  const { spaceMark } = normalization;
  const words = piecesOf(pieces, ["normal", "userDefined"]);
  if (algorithm === "word") return new MarkedWords({ vocabulary, words: new Trie(words), unknown, spaceMark });
  const unused = pieces.findIndex(({ kind }) => kind === "unused");
  if (unused >= 0) {
    throw new UnsupportedError(
      `SentencePiece model: unused pieces (${unused}) are not supported in a ${algorithm} model`,
    );
  }
  const scores = pieces.map(({ score }) => score);
  const pairs =
    algorithm === "char" ? new PairTable(0) : scorePairs(piecesOf(pieces, ["normal"]), scores, vocabulary.size);
  const hidden = new Set(pieces.flatMap(({ kind }, id) => (kind === "normal" ? [] : [id])));
  return new CharacterBpe({ vocabulary, pairs, unknown, fixedTokens: fixed, hidden });
}

/** FLT_MIN: where the library begins to look for the largest score, which is thus never below it. */
const leastMost = 2 ** -126;

/** A user-defined piece scores so high that it is nearly always chosen. */
function unigram(
  { pieces }: SentencePieceModel,
  vocabulary: Vocabulary,
  unknown: UnknownRule,
  precision: "float" | "double",
): Unigram {
  const normal = pieces.filter(({ kind }) => kind === "normal").map(({ score }) => score);
  const most = normal.reduce((a, b) => Math.max(a, b), leastMost);
  const least = normal.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const fixedScore = (text: string): number =>
    precision === "float" ? Math.fround(new TextEncoder().encode(text).length * most - 0.1) : 0;
  return new Unigram({
    vocabulary,
    scores: Float64Array.from(pieces, ({ text, score, kind }) => (kind === "userDefined" ? fixedScore(text) : score)),
    words: new Trie(
      piecesOf(pieces, ["normal", "userDefined", ...(precision === "double" ? (["unused"] as const) : [])]),
    ),
    unknownScore: least - unknownPenalty,
    unknown,
    precision,
  });
}

function unknownRule({ pieces, fallsBackToBytes }: SentencePieceModel): UnknownRule {
  const unkId = pieces.findIndex(({ kind }) => kind === "unknown");
  const bytes = piecesOf(pieces, ["byte"]);
  const byteIds = fallsBackToBytes ? bytePieceIds((token) => bytes.get(token)) : undefined;
  const missing = byteIds?.indexOf(-1) ?? -1;
  if (missing >= 0) throw new CheckpointError(`SentencePiece model: the vocabulary has no piece for byte ${missing}`);
  if (unkId < 0 && byteIds === undefined) {
    throw new CheckpointError("SentencePiece model: the vocabulary has neither an unknown piece nor pieces for bytes");
  }
  return { unkId: unkId < 0 ? undefined : unkId, fuses: true, byteIds };
}

/**
 * Words can be encoded one by one where no piece goes on after a word's end. Not so in Unigram, where the rounding of a
 * sum depends on all that came before.
 */
function cuts({ algorithm, pieces, normalization: { spaceMark, marksWordEnds } }: SentencePieceModel): Pretokenizer {
  const isMark = (text: string): boolean => text === spaceMark;
  const crosses = new RegExp(`[^${spaceMark}]${spaceMark}`, "u");
  const known = pieces.filter(({ kind }) => kind === "normal" || kind === "userDefined");
  const isApart = known.some(({ text }) => isMark(text)) && !known.some(({ text }) => crosses.test(text));
  const cutsWords = (algorithm === "bpe" || algorithm === "char") && isApart && !marksWordEnds;
  return cutsWords ? markedWords(spaceMark) : wholeText;
}

function pieceBytes(
  { normalization: { spaceMark }, unknownSurface }: SentencePieceModel,
  kind: PieceKind | undefined,
  token: string,
): Uint8Array {
  const byte = kind === "byte" ? byteOfPiece(token) : undefined;
  if (byte !== undefined) return Uint8Array.of(byte);
  return new TextEncoder().encode(kind === "unknown" ? unknownSurface : token.replaceAll(spaceMark, " "));
}

function piecesOf(pieces: readonly Piece[], kinds: readonly PieceKind[]): ReadonlyMap<string, number> {
  return new Map(pieces.flatMap(({ text, kind }, id) => (kinds.includes(kind) ? [[text, id] as const] : [])));
}

function addedToken(content: string, id: number, isSpecial: boolean): AddedToken {
  return {
    id,
    content,
    isSpecial,
    isNormalized: false,
    isSingleWord: false,
    stripsLeft: false,
    stripsRight: false,
  };
}
