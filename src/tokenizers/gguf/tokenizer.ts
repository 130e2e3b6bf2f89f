/** @file The tokenizer that the metadata of a GGUF file describes (ggml-org/ggml, docs/gguf.md). */

import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import type { TokenizerFile } from "../formats/format.js";
import { type Piece, pieceKinds } from "../sentencepiece/pieces.js";
import { sentencePieceTokenizer } from "../sentencepiece/tokenizer.js";
import type { SequenceTemplate, Tokenizer } from "../tokenizer.js";
import { JsonTokenizer, tokenizerFromJson } from "../tokenizer-json.js";
import { byteOfPiece } from "../vocabulary.js";
import { GgufEntries } from "./metadata.js";
import { ggufPretokenizer } from "./pretokenizers.js";

type GgufReader = (entries: GgufEntries) => Tokenizer;

/** By `tokenizer.ggml.model`. */
export const ggufTokenizers = {
  bert: readBert,
  gpt2: readGpt2,
  llama: readLlama,
  t5: readT5,
} as const satisfies Record<string, GgufReader>;

/**
 * The tokenizer in a GGUF file's metadata, with the ids of the model's own tokenizer: SentencePiece (`llama`), byte-level
 * BPE (`gpt2`), WordPiece (`bert`) and Unigram (`t5`). A whole tokenizer.json in the metadata is read as such.
 * @throws CheckpointError when entries are missing or contradict each other.
 * @throws UnsupportedError naming the model or pre-tokenizer that is not supported.
 */
export function tokenizerFromGguf(metadata: ReadonlyMap<string, unknown>): Tokenizer {
  const json = metadata.get("tokenizer.huggingface.json");
  if (typeof json === "string") return tokenizerFromJson(json);
  const entries = new GgufEntries(metadata);
  const model = entries.required("model", entries.text("model"));
  const read: GgufReader | undefined = Object.entries(ggufTokenizers).find(([name]) => name === model)?.[1];
  if (read !== undefined) return read(entries);
  const known = Object.keys(ggufTokenizers).join(", ");
  throw new UnsupportedError(`GGUF: tokenizer.ggml.model ${model} is not supported; known are ${known}`);
}

/** llama.cpp puts a space before a text and after every special token. */
function readLlama(entries: GgufEntries): Tokenizer {
  const pieces = piecesOf(entries);
  return sentencePieceTokenizer(
    {
      algorithm: "bpe",
      pieces,
      normalization: {
        charsmap: undefined,
        addsDummyPrefix: entries.flag("add_space_prefix") ?? true,
        removesExtraSpaces: entries.flag("remove_extra_whitespaces") ?? false,
        spaceMark: "▁",
        marksWordEnds: false,
      },
      fallsBackToBytes: pieces.some(({ kind }) => kind === "byte"),
      unknownSurface: "",
    },
    {
      specialKinds: ["control", "unknown"],
      fixedKinds: ["userDefined"],
      template: templateOf(entries, { addsBos: true }),
    },
  );
}

function readT5(entries: GgufEntries): Tokenizer {
  const pieces = piecesOf(entries);
  const charsmap = entries.numbers("precompiled_charsmap");
  return sentencePieceTokenizer(
    {
      algorithm: "unigram",
      pieces,
      normalization: {
        charsmap: charsmap === undefined || charsmap.length === 0 ? undefined : Uint8Array.from(charsmap),
        addsDummyPrefix: entries.flag("add_space_prefix") ?? false,
        removesExtraSpaces: entries.flag("remove_extra_whitespaces") ?? false,
        spaceMark: "▁",
        marksWordEnds: false,
      },
      fallsBackToBytes: false,
      unknownSurface: "",
    },
    {
      specialKinds: ["control", "unknown"],
      fixedKinds: ["userDefined"],
      template: templateOf(entries, { addsEos: true }),
      precision: "double",
    },
  );
}

function readGpt2(entries: GgufEntries): Tokenizer {
  const { patterns, ignoresMerges = false, addsBos = false, composes = false } = ggufPretokenizer(entries.text("pre"));
  const tokens = entries.required("tokens", entries.texts("tokens"));
  const merges = entries.required("merges", entries.texts("merges"));
  const splits = patterns.map((Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false }));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return new JsonTokenizer({
    ...fileOf(entries, tokens),
    normalizer: composes ? { type: "NFC" } : null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [...splits, byteLevel] },
    post_processor: processorOf(templateOf(entries, { addsBos }), tokens),
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      ignore_merges: ignoresMerges,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(mergeOf),
    },
  });
}

/** The file writes `▁the` for `the` and `ing` for `##ing`. */
function readBert(entries: GgufEntries): Tokenizer {
  const written = entries.required("tokens", entries.texts("tokens"));
  const tokens = written.map((token) => {
    if (token.startsWith("▁")) return token.slice(1);
    return /^\[.*\]$/.test(token) ? token : `##${token}`;
  });
  const lowercase = entries.flag("normalizer.lowercase") ?? true;
  const unkId = entries.required("unknown_token_id", entries.id("unknown_token_id"));
  const cls = entries.id("bos_token_id") ?? entries.id("cls_token_id");
  const sep = entries.id("seperator_token_id") ?? entries.id("eos_token_id");
  const template = { prefix: cls === undefined ? [] : [cls], suffix: sep === undefined ? [] : [sep] };
  return new JsonTokenizer({
    ...fileOf(entries, tokens),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: entries.flag("normalizer.strip_accents") ?? null,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: processorOf(template, tokens),
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: tokenAt(tokens, unkId),
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  });
}

/** What the files of all kinds of model have in common; special and user-defined tokens are added tokens. */
function fileOf(entries: GgufEntries, tokens: readonly string[]) {
  const kinds = kindsOf(entries, tokens.length);
  const added = tokens.flatMap((content, id): TokenizerFile["added_tokens"] => {
    const special = kinds[id] === "control" || kinds[id] === "unknown";
    if ((!special && kinds[id] !== "userDefined") || content === "") return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
  return { version: "1.0" as const, truncation: null, padding: null, added_tokens: added };
}

function piecesOf(entries: GgufEntries): Piece[] {
  const tokens = entries.required("tokens", entries.texts("tokens"));
  const scores = entries.required("scores", entries.numbers("scores"));
  if (scores.length < tokens.length) {
    throw new CheckpointError(`GGUF: tokenizer.ggml.scores has ${scores.length} entries for ${tokens.length} tokens`);
  }
  const kinds = kindsOf(entries, tokens.length);
  const unkId = entries.id("unknown_token_id");
  return tokens.map((text, id) => {
    const isByte = kinds[id] === "byte" && byteOfPiece(text) !== undefined;
    const kind = id === unkId ? "unknown" : kinds[id] === "byte" && !isByte ? "normal" : kinds[id]!;
    return { text, score: scores[id]!, kind };
  });
}

function kindsOf(entries: GgufEntries, numTokens: number): Piece["kind"][] {
  const types = entries.numbers("token_type");
  if (types !== undefined && types.length < numTokens) {
    throw new CheckpointError(`GGUF: tokenizer.ggml.token_type has ${types.length} entries for ${numTokens} tokens`);
  }
  return Array.from({ length: numTokens }, (_, id) => pieceKinds.get(types?.[id]) ?? "normal");
}

function templateOf(entries: GgufEntries, defaults: { addsBos?: boolean; addsEos?: boolean }): SequenceTemplate {
  const bos = entries.id("bos_token_id");
  const eos = entries.id("eos_token_id");
  const addsBos = (entries.flag("add_bos_token") ?? defaults.addsBos ?? false) && bos !== undefined;
  const addsEos = (entries.flag("add_eos_token") ?? defaults.addsEos ?? false) && eos !== undefined;
  return { prefix: addsBos ? [bos] : [], suffix: addsEos ? [eos] : [] };
}

/** The template as tokenizer.json has it; between two texts stands what ends the first. */
function processorOf({ prefix, suffix }: SequenceTemplate, tokens: readonly string[]): { type: string } | null {
  if (prefix.length + suffix.length === 0) return null;
  const special = (ids: readonly number[], type_id: number) =>
    ids.map((id) => ({ SpecialToken: { id: tokenAt(tokens, id), type_id } }));
  const text = (id: "A" | "B", type_id: number) => ({ Sequence: { id, type_id } });
  const single = [...special(prefix, 0), text("A", 0), ...special(suffix, 0)];
  const names = [...prefix, ...suffix].map((id) => [tokenAt(tokens, id), id] as const);
  return {
    type: "TemplateProcessing",
    ...{ single, pair: [...single, text("B", 1), ...special(suffix, 1)] },
    ...{
      special_tokens: Object.fromEntries(names.map(([name, id]) => [name, { id: name, ids: [id], tokens: [name] }])),
    },
  };
}

/** A space separates the parts, but the first part may begin with one. */
function mergeOf(merge: string): [string, string] {
  const place = merge.indexOf(" ", 1);
  if (place < 0) throw new CheckpointError(`GGUF: the merge "${merge}" is not of two tokens`);
  return [merge.slice(0, place), merge.slice(place + 1)];
}

function tokenAt(tokens: readonly string[], id: number): string {
  const token = tokens[id];
  if (token === undefined)
    throw new CheckpointError(`GGUF: id ${id} is not in the vocabulary of ${tokens.length} tokens`);
  return token;
}
