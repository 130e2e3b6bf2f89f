/** @file A tokenizer as the metadata of a GGUF file, so that llama.cpp gives the same ids. */

import { z } from "zod";
import { UnsupportedError } from "../../base/errors.js";
import { parseEntry } from "../json-entry.js";
import { gpt2Pattern } from "../pretokenizers/gpt2.js";
import { flattened } from "../pretokenizers/steps.js";
import { type Piece, type PieceKind, pieceKinds, type SentencePieceModel } from "../sentencepiece/pieces.js";
import { SentencePieceTokenizer } from "../sentencepiece/tokenizer.js";
import type { Tokenizer } from "../tokenizer.js";
import { JsonTokenizer, toTokenizerJson } from "../tokenizer-json.js";
import { byteOfPiece } from "../vocabulary.js";
import { type GgufPretokenizer, ggufPretokenizers } from "./pretokenizers.js";

/** Values as `writeGguf` takes them. */
export type GgufTokenizerValue = string | boolean | number | string[] | number[];

/** Ids with a role, from a model's config.json. */
export interface TokenRoles {
  readonly bos?: number | undefined;
  readonly eos?: number | undefined;
  readonly pad?: number | undefined;
}

const PREFIX = "tokenizer.ggml.";

/**
 * `tokenizer.ggml.*` of a tokenizer that was read from tokenizer.json or a SentencePiece model, or trained. A
 * tokenizer.json goes in as a whole too (`tokenizer.huggingface.json`).
 * @throws UnsupportedError for a kind that llama.cpp does not have, saying what about it.
 */
export function ggufMetadataOf(tokenizer: Tokenizer, roles: TokenRoles): Map<string, GgufTokenizerValue> {
  const own = entriesOf(tokenizer);
  const { prefix, suffix } = tokenizer.template;
  const all: Record<string, GgufTokenizerValue | undefined> = {
    ...own,
    bos_token_id: prefix[0] ?? roles.bos,
    eos_token_id: roles.eos ?? suffix[0],
    padding_token_id: roles.pad,
    add_bos_token: prefix.length > 0,
    add_eos_token: suffix.length > 0,
  };
  const entries = Object.entries(all).flatMap(([key, value]) =>
    value === undefined ? [] : [[PREFIX + key, value] as const],
  );
  const json =
    tokenizer instanceof JsonTokenizer ? [["tokenizer.huggingface.json", toTokenizerJson(tokenizer)] as const] : [];
  return new Map([...entries, ...json]);
}

type Entries = Record<string, GgufTokenizerValue | undefined>;

function entriesOf(tokenizer: Tokenizer): Entries {
  if (tokenizer instanceof SentencePieceTokenizer) return sentencePieceEntries(tokenizer.source);
  if (tokenizer instanceof JsonTokenizer) return jsonEntries(tokenizer);
  throw unsupported("a tokenizer that was not read from a file or trained");
}

const unsupported = (what: string): UnsupportedError =>
  new UnsupportedError(`GGUF: llama.cpp has no tokenizer for ${what}; export to another format`);

const typeNumbers = new Map([...pieceKinds].map(([number, kind]) => [kind, number as number]));

const typesOf = (kinds: readonly PieceKind[]): number[] => kinds.map((kind) => typeNumbers.get(kind)!);

const MARK = "▁";

function sentencePieceEntries({ algorithm, pieces, normalization }: SentencePieceModel): Entries {
  const model = { bpe: "llama", unigram: "t5", word: undefined, char: undefined }[algorithm];
  if (model === undefined || normalization.marksWordEnds)
    throw unsupported(`a SentencePiece model of kind ${algorithm}`);
  const { charsmap, spaceMark, addsDummyPrefix, removesExtraSpaces } = normalization;
  if (model === "llama" && charsmap !== undefined && charsmap.length > 0) {
    throw unsupported("SentencePiece BPE with a table of replacements");
  }
  const unknown = pieces.findIndex(({ kind }) => kind === "unknown");
  return {
    model,
    pre: "default",
    ...piecesEntries(
      pieces.map((piece) =>
        piece.kind === "normal" ? { ...piece, text: piece.text.replaceAll(spaceMark, MARK) } : piece,
      ),
    ),
    unknown_token_id: unknown < 0 ? undefined : unknown,
    add_space_prefix: addsDummyPrefix,
    remove_extra_whitespaces: removesExtraSpaces,
    precompiled_charsmap: charsmap && charsmap.length > 0 ? [...charsmap] : undefined,
  };
}

function piecesEntries(pieces: readonly Piece[]): Entries {
  return {
    tokens: pieces.map(({ text }) => text),
    scores: pieces.map(({ score }) => score),
    token_type: typesOf(pieces.map(({ kind }) => kind)),
  };
}

const bpeSchema = z.looseObject({
  vocab: z.record(z.string(), z.int()),
  merges: z.array(z.union([z.tuple([z.string(), z.string()]), z.string()])),
  byte_fallback: z.boolean().nullish(),
  ignore_merges: z.boolean().nullish(),
});
const unigramSchema = z.looseObject({
  vocab: z.array(z.tuple([z.string(), z.number()])),
  unk_id: z.int().nullish(),
});
const wordPieceSchema = z.looseObject({
  vocab: z.record(z.string(), z.int()),
  unk_token: z.string(),
  continuing_subword_prefix: z.string(),
});

function jsonEntries(tokenizer: JsonTokenizer): Entries {
  const model = tokenizer.format.write(tokenizer.model);
  const type = tokenizer.format.name;
  if (type === "WordPiece") return bertEntries(tokenizer, parseEntry(wordPieceSchema, model, "model"));
  if (type === "Unigram") return unigramEntries(tokenizer, parseEntry(unigramSchema, model, "model"));
  if (type !== "BPE") throw unsupported(`a ${type} model`);
  const bpe = parseEntry(bpeSchema, model, "model");
  return bpe.byte_fallback ? llamaEntries(tokenizer, bpe) : gpt2Entries(tokenizer, bpe);
}

/** Tokens by id with their kinds; ids that nothing has are unused. */
function tokensOf(
  tokenizer: JsonTokenizer,
  vocab: Readonly<Record<string, number>>,
): { tokens: string[]; kinds: PieceKind[] } {
  const tokens = Array.from({ length: tokenizer.vocabSize }, (_, id) => `[PAD${id}]`);
  const kinds = tokens.map((): PieceKind => "unused");
  for (const [token, id] of Object.entries(vocab)) {
    tokens[id] = token;
    kinds[id] = "normal";
  }
  for (const { id, content, isSpecial } of tokenizer.addedTokens) {
    tokens[id] = content;
    kinds[id] = isSpecial ? "control" : "userDefined";
  }
  return { tokens, kinds };
}

function gpt2Entries(tokenizer: JsonTokenizer, { vocab, merges, ignore_merges }: z.infer<typeof bpeSchema>): Entries {
  const { tokens, kinds } = tokensOf(tokenizer, vocab);
  return {
    model: "gpt2",
    pre: pretokenizerName(tokenizer, ignore_merges ?? false),
    tokens,
    token_type: typesOf(kinds),
    merges: merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" "))),
  };
}

/** The name under which llama.cpp cuts texts as this tokenizer does. */
function pretokenizerName({ settings }: JsonTokenizer, ignoresMerges: boolean): string {
  const steps = flattened(settings.pre_tokenizer);
  const patterns = steps.flatMap(patternsOf);
  const form = settings.normalizer?.type;
  if (form !== undefined && form !== "NFC") throw unsupported(`byte-level BPE with the normalizer ${form}`);
  const found = Object.entries(ggufPretokenizers).find(([, known]) =>
    isSame(known, patterns, ignoresMerges, form === "NFC"),
  );
  if (found) return preferred.get(found[1]) ?? found[0];
  throw unsupported(`byte-level BPE that cuts texts by ${patterns.join(" then ") || "nothing"}`);
}

/** Of several names for the same, the best known. */
const preferred = new Map<GgufPretokenizer | undefined, string>(
  ["gpt-2", "llama-bpe", "qwen2", "smollm"].map((name) => [ggufPretokenizers[name], name]),
);

function isSame(
  known: GgufPretokenizer,
  patterns: readonly string[],
  ignoresMerges: boolean,
  composes: boolean,
): boolean {
  return (
    `${known.patterns}` === `${patterns}` &&
    (known.ignoresMerges ?? false) === ignoresMerges &&
    (known.composes ?? false) === composes
  );
}

const stepSchema = z.looseObject({
  type: z.string(),
  pattern: z.union([z.object({ Regex: z.string() }), z.object({ String: z.string() })]).optional(),
  use_regex: z.boolean().nullish(),
  individual_digits: z.boolean().nullish(),
  add_prefix_space: z.boolean().nullish(),
});

function patternsOf(entry: unknown): string[] {
  const step = parseEntry(stepSchema, entry, "pre_tokenizer");
  if (step.type === "Split" && step.pattern && "Regex" in step.pattern) return [step.pattern.Regex];
  if (step.type === "Digits" && step.individual_digits) return ["\\p{N}"];
  if (step.type === "ByteLevel" && !step.add_prefix_space) return step.use_regex === false ? [] : [gpt2Pattern];
  throw unsupported(`byte-level BPE with the pre-tokenizer ${JSON.stringify(entry)}`);
}

/** Merges by rank: what is merged first scores highest. */
function llamaEntries(tokenizer: JsonTokenizer, { vocab, merges }: z.infer<typeof bpeSchema>): Entries {
  const { tokens, kinds } = tokensOf(tokenizer, vocab);
  const ranks = new Map(
    merges.map((merge, rank) => [typeof merge === "string" ? merge.replace(" ", "") : merge.join(""), rank]),
  );
  const pieces = tokens.map((text, id): Piece => {
    const kind = kinds[id] === "normal" && byteOfPiece(text) !== undefined ? "byte" : kinds[id]!;
    return { text, score: kind === "normal" ? -(ranks.get(text) ?? merges.length) : 0, kind };
  });
  const unknown = tokens.indexOf("<unk>");
  const settings = JSON.stringify([tokenizer.settings.normalizer, tokenizer.settings.pre_tokenizer]);
  return {
    model: "llama",
    pre: "default",
    ...piecesEntries(pieces.map((piece, id) => (id === unknown ? { ...piece, kind: "unknown" } : piece))),
    unknown_token_id: unknown < 0 ? undefined : unknown,
    add_space_prefix: /"Prepend"|"prepend_scheme":"(first|always)"|"add_prefix_space":true/.test(settings),
  };
}

function unigramEntries(tokenizer: JsonTokenizer, { vocab, unk_id }: z.infer<typeof unigramSchema>): Entries {
  const { tokens, kinds } = tokensOf(tokenizer, Object.fromEntries(vocab.map(([text], id) => [text, id])));
  const pieces = tokens.map(
    (text, id): Piece => ({
      text,
      score: vocab[id]?.[1] ?? 0,
      kind: id === unk_id ? "unknown" : kinds[id]!,
    }),
  );
  return { model: "t5", pre: "default", ...piecesEntries(pieces), unknown_token_id: unk_id ?? undefined };
}

/** llama.cpp writes `▁the` for `the` and `ing` for `##ing`. */
function bertEntries(tokenizer: JsonTokenizer, model: z.infer<typeof wordPieceSchema>): Entries {
  const { tokens, kinds } = tokensOf(tokenizer, model.vocab);
  const mark = model.continuing_subword_prefix;
  const written = tokens.map((token, id) => {
    if (kinds[id] !== "normal") return token;
    return token.startsWith(mark) ? token.slice(mark.length) : MARK + token;
  });
  const { prefix, suffix } = tokenizer.template;
  return {
    model: "bert",
    pre: "default",
    tokens: written,
    token_type: typesOf(kinds),
    unknown_token_id: model.vocab[model.unk_token],
    cls_token_id: prefix[0],
    seperator_token_id: suffix[0],
  };
}
