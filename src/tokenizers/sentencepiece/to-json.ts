/** @file A SentencePiece tokenizer as a tokenizer.json, for libraries that read nothing else. */

import { UnsupportedError } from "../../base/errors.js";
import type { TokenizerFile } from "../formats/format.js";
import type { SequenceTemplate } from "../tokenizer.js";
import type { Piece, SentencePieceModel } from "./pieces.js";

const MARK = "▁";

/**
 * The file's contents; ids stay as they are. Merges are those that Hugging Face's converter derives: every way to put a
 * piece together from two others, the best score first.
 * @throws UnsupportedError for word and character models and for words with the mark at their end.
 */
export function sentencePieceToJson(model: SentencePieceModel, { prefix, suffix }: SequenceTemplate): TokenizerFile {
  const { algorithm, normalization } = model;
  if ((algorithm !== "bpe" && algorithm !== "unigram") || normalization.marksWordEnds) {
    throw new UnsupportedError(`tokenizer.json: a SentencePiece model of kind ${algorithm} cannot be written`);
  }
  const pieces = model.pieces.map((piece) =>
    piece.kind === "normal" ? { ...piece, text: piece.text.replaceAll(normalization.spaceMark, MARK) } : piece,
  );
  const tokenAt = (id: number): string => pieces[id]!.text;
  const special = (id: number) => ({ SpecialToken: { id: tokenAt(id), type_id: 0 } });
  const around = [...prefix, ...suffix];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: pieces.flatMap(addedToken),
    normalizer: normalizerOf(model),
    pre_tokenizer: null,
    post_processor:
      around.length === 0
        ? null
        : {
            type: "TemplateProcessing",
            single: [...prefix.map(special), { Sequence: { id: "A", type_id: 0 } }, ...suffix.map(special)],
            pair: [
              ...prefix.map(special),
              { Sequence: { id: "A", type_id: 0 } },
              ...suffix.map(special),
              { Sequence: { id: "B", type_id: 1 } },
              ...suffix.map(special),
            ],
            special_tokens: Object.fromEntries(
              [...new Set(around)].map((id) => [tokenAt(id), { id: tokenAt(id), ids: [id], tokens: [tokenAt(id)] }]),
            ),
          },
    decoder: decoderOf(model),
    model:
      algorithm === "bpe" ? bpeModel(pieces, model.fallsBackToBytes) : unigramModel(pieces, model.fallsBackToBytes),
  };
}

function addedToken({ text, kind }: Piece, id: number): TokenizerFile["added_tokens"] {
  const isSpecial = kind === "control" || kind === "unknown";
  if (!isSpecial && kind !== "userDefined") return [];
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return [{ id, content: text, ...flags, special: isSpecial }];
}

function normalizerOf({ normalization }: SentencePieceModel): TokenizerFile["normalizer"] {
  const { charsmap, addsDummyPrefix, removesExtraSpaces } = normalization;
  const steps = [
    ...(charsmap && charsmap.length > 0
      ? [{ type: "Precompiled", precompiled_charsmap: Buffer.from(charsmap).toString("base64") }]
      : []),
    ...(removesExtraSpaces
      ? [
          { type: "Strip", strip_left: true, strip_right: true },
          { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
        ]
      : []),
    ...(addsDummyPrefix ? [{ type: "Prepend", prepend: MARK }] : []),
    { type: "Replace", pattern: { String: " " }, content: MARK },
  ];
  return { type: "Sequence", normalizers: steps };
}

function decoderOf({ normalization }: SentencePieceModel): TokenizerFile["decoder"] {
  const strip = { type: "Strip", content: " ", start: 1, stop: 0 };
  const steps = [
    { type: "Replace", pattern: { String: MARK }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    ...(normalization.addsDummyPrefix ? [strip] : []),
  ];
  return { type: "Sequence", decoders: steps };
}

function bpeModel(pieces: readonly Piece[], byteFallback: boolean): TokenizerFile["model"] {
  const vocab = new Map(pieces.map(({ text }, id) => [text, id]));
  const merges: { readonly pair: readonly [string, string]; readonly score: number; readonly id: number }[] = [];
  for (const [id, { text, score, kind }] of pieces.entries()) {
    if (kind !== "normal") continue;
    const characters = [...text];
    for (let i = 1; i < characters.length; i++) {
      const pair = [characters.slice(0, i).join(""), characters.slice(i).join("")] as const;
      if (pair.every((part) => isNormal(pieces, vocab.get(part)))) merges.push({ pair, score, id });
    }
  }
  merges.sort((a, b) => b.score - a.score || a.id - b.id);
  return {
    type: "BPE",
    dropout: null,
    unk_token: pieces.find(({ kind }) => kind === "unknown")?.text ?? null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: byteFallback,
    ignore_merges: false,
    vocab: Object.fromEntries(vocab),
    merges: merges.map(({ pair }) => pair),
  };
}

function isNormal(pieces: readonly Piece[], id: number | undefined): boolean {
  return id !== undefined && pieces[id]!.kind === "normal";
}

function unigramModel(pieces: readonly Piece[], byteFallback: boolean): TokenizerFile["model"] {
  return {
    type: "Unigram",
    unk_id: pieces.findIndex(({ kind }) => kind === "unknown"),
    vocab: pieces.map(({ text, score }) => [text, score]),
    byte_fallback: byteFallback,
  };
}
