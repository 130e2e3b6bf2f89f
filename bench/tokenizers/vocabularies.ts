/** @file The tokenizer.json files that the tokenizer benchmark compares with: real ones, and SentencePiece models rewritten. */

import { existsSync, readFileSync } from "node:fs";
import { readSentencePieceModel } from "../../src/tokenizers/sentencepiece/model-file.js";
import type { Piece, SentencePieceModel } from "../../src/tokenizers/sentencepiece/pieces.js";

const data = new URL("../../../shared/data/", import.meta.url);
const read = (path: string): Uint8Array => readFileSync(new URL(path, data));

export const hasData = existsSync(new URL("corpus/corpus-en-00.jsonl.gz", data));

/** A gzipped file of the corpus. */
export const corpusFile = (name: string): Uint8Array => read(`corpus/${name}`);

/** tokenizer.json by the kind of model. */
export const vocabularies: Readonly<Record<string, () => string>> = {
  "byte-level BPE": () => new TextDecoder().decode(read("tok-gpt2/tokenizer.json")),
  WordPiece: () => new TextDecoder().decode(read("tok-bert-uncased/tokenizer.json")),
  "SentencePiece BPE": () => bpeFile(readSentencePieceModel(read("tok-llama2-spm/tokenizer.model"))),
  Unigram: () => unigramFile(readSentencePieceModel(read("tok-sentencepiece/test_ja_model.model"))),
};

const base = { version: "1.0", truncation: null, padding: null, added_tokens: [], post_processor: null };
const space = { type: "Replace", pattern: { String: " " }, content: "▁" };

/** As Llama's file: no pre-tokenizer, merges of all pieces. */
function bpeFile({ pieces }: SentencePieceModel): string {
  return JSON.stringify({
    ...base,
    normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, space] },
    pre_tokenizer: null,
    decoder: { type: "Fuse" },
    model: {
      type: "BPE",
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(pieces.map(({ text }, id) => [text, id])),
      merges: mergesOf(pieces),
    },
  });
}

function mergesOf(pieces: readonly Piece[]): [string, string][] {
  const known = new Set(pieces.map(({ text }) => text));
  return [...pieces]
    .sort((a, b) => b.score - a.score)
    .flatMap(({ text }) => {
      const characters = [...text];
      const splits = characters.slice(1).map((_, i): [string, string] => {
        const left = characters.slice(0, i + 1).join("");
        return [left, text.slice(left.length)];
      });
      return splits.filter(([left, right]) => known.has(left) && known.has(right));
    });
}

/** As T5's file, without the table of replacements. */
function unigramFile({ pieces }: SentencePieceModel): string {
  return JSON.stringify({
    ...base,
    normalizer: { type: "NFKC" },
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
    decoder: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
    model: { type: "Unigram", unk_id: 0, vocab: pieces.map(({ text, score }) => [text, score]), byte_fallback: false },
  });
}
