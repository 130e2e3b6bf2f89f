/** @file The vocabulary of a SentencePiece model, as its files describe it. */

/** `byte` stands for the byte `<0xHH>`; `control` never comes of a text; `userDefined` is taken from a text before all else. */
export type PieceKind = "normal" | "unknown" | "control" | "userDefined" | "unused" | "byte";

/** By the numbers that the model file and GGUF have for them. */
export const pieceKinds: ReadonlyMap<unknown, PieceKind> = new Map<unknown, PieceKind>([
  [1, "normal"],
  [2, "unknown"],
  [3, "control"],
  [4, "userDefined"],
  [5, "unused"],
  [6, "byte"],
]);

/** One entry of the vocabulary; its id is its place. */
export interface Piece {
  readonly text: string;
  /** Log probability in Unigram; in BPE the order of merges, largest first. */
  readonly score: number;
  readonly kind: PieceKind;
}

export const algorithms = ["unigram", "bpe", "word", "char"] as const;
export type SentencePieceAlgorithm = (typeof algorithms)[number];

/** How a text is changed before it is cut into pieces. */
export interface SentencePieceNormalization {
  /** The compiled table of replacements; undefined changes nothing. */
  readonly charsmap: Uint8Array | undefined;
  readonly addsDummyPrefix: boolean;
  /** Drops spaces at the ends, and all but one of several. */
  readonly removesExtraSpaces: boolean;
  /** What a space is written as: `▁`, or a space where the model does not escape it. */
  readonly spaceMark: string;
  /** The mark follows a word instead of preceding it. */
  readonly marksWordEnds: boolean;
}

export interface SentencePieceModel {
  readonly algorithm: SentencePieceAlgorithm;
  readonly pieces: readonly Piece[];
  readonly normalization: SentencePieceNormalization;
  /** Characters without a piece become bytes. */
  readonly fallsBackToBytes: boolean;
  /** What an unknown piece is decoded to. */
  readonly unknownSurface: string;
}
