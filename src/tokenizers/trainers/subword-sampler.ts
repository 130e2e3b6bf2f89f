/** @file Encodes a text differently each time, to make a model robust: subword regularisation and BPE-dropout. */

import { z } from "zod";
import { ConfigError, UnsupportedError } from "../../base/errors.js";
import type { Rng } from "../../base/rng.js";
import { PairTable } from "../algorithms/pair-table.js";
import type { TokenizerFile } from "../formats/format.js";
import { parseEntry } from "../json-entry.js";
import { readNormalizer } from "../normalizers/index.js";
import { flattened, type PretokenStep, readSteps } from "../pretokenizers/steps.js";
import { mergeWithDropout } from "./bpe-dropout.js";
import { byteTokens } from "./tokenizer-file.js";
import { UnigramSampler } from "./unigram-sampler.js";

export interface SubwordSampling {
  readonly rng: Rng;
  /** Unigram: power to which probabilities are raised. Default 0.1, as in Kudo 2018. */
  readonly alpha?: number;
  /** Unigram: draw among so many best segmentations of a word or raw text. Default: among all. */
  readonly nBest?: number;
  /** BPE: how probably a merge is left out. Default 0.1, as in Provilkov et al. 2020. */
  readonly dropout?: number;
}

export interface SubwordSampler {
  /**
   * Ids of `text`, drawn at random; they decode to it as those of the tokenizer do.
   * @throws ConfigError on an option of the other algorithm, or one out of range.
   */
  encode(text: string, sampling: SubwordSampling): Int32Array;
}

/** Between the end of a word and the spaces of the next. */
const wordEdge = /(?<=[^▁])(?=▁)/u;

type WordSampler = (word: string, sampling: SubwordSampling) => number[];

const unigramSchema = z.looseObject({
  vocab: z.array(z.tuple([z.string(), z.number()])),
  unk_id: z.int(),
  byte_fallback: z.boolean(),
});
const bpeSchema = z.looseObject({
  vocab: z.custom<Readonly<Record<string, number>>>((value) => typeof value === "object" && value !== null),
  merges: z.array(z.tuple([z.string(), z.string()])),
  continuing_subword_prefix: z.null().optional(),
  end_of_word_suffix: z.null().optional(),
  unk_token: z.string().nullish(),
  byte_fallback: z.boolean(),
});

/**
 * A sampler over a tokenizer.json with a Unigram model, or with one of BPE: by characters, as SentencePiece, or by bytes,
 * as GPT-2. Special tokens are not looked for in texts.
 * @throws UnsupportedError for a tokenizer.json of another kind.
 */
export function subwordSampler(file: TokenizerFile): SubwordSampler {
  const words = wordsOf(file);
  const sampleWord = file.model.type === "Unigram" ? unigram(file) : file.model.type === "BPE" ? bpe(file) : undefined;
  if (sampleWord === undefined) throw unsupported(`model ${file.model.type}`);
  return { encode: (text, sampling) => Int32Array.from(words(text).flatMap((word) => sampleWord(word, sampling))) };
}

/** The pieces of a normalised text that the model gets. */
function wordsOf({ normalizer, pre_tokenizer }: TokenizerFile): (text: string) => string[] {
  const change = readNormalizer(normalizer);
  const steps = readSteps(flattened(pre_tokenizer));
  return (text) =>
    steps.reduce(
      (pieces, step) => pieces.flatMap((piece, i) => cut(step, piece, i === 0)),
      [change?.apply(text, true) ?? text],
    );
}

function cut({ change, pretokenizer }: PretokenStep, text: string, isFirst: boolean): string[] {
  const changed = change?.apply(text, isFirst) ?? text;
  const pieces: string[] = [];
  pretokenizer.scan(changed, 0, changed.length, (start, end) => {
    pieces.push(changed.slice(start, end));
    return true;
  });
  return pieces;
}

function unigram(file: TokenizerFile): WordSampler {
  const { vocab, unk_id, byte_fallback } = parseEntry(unigramSchema, file.model, "model Unigram");
  const special = new Set(file.added_tokens.map(({ content }) => content));
  const isText = (text: string): boolean => !special.has(text) && !(byte_fallback && byteTokens.includes(text));
  const sampler = new UnigramSampler(vocab.map(([text, score]) => (isText(text) ? { text, score } : undefined)));
  const ids = new Map(vocab.map(([text], id) => [text, id]));
  const unknown = unknownIds(ids, unk_id, byte_fallback);
  return (word, { rng, alpha = 0.1, nBest, dropout }) => {
    if (dropout !== undefined) throw wrongOption("dropout", "BPE");
    const { pieces, ends } = sampler.sample(word, { rng, alpha, ...(nBest === undefined ? {} : { nBest }) });
    const fused: number[] = [];
    for (const [i, piece] of pieces.entries()) {
      if (piece >= 0) fused.push(piece);
      // neighbouring unknown characters are one unknown token
      else if (byte_fallback || pieces[i - 1] !== -1)
        fused.push(...unknown(word.slice(i === 0 ? 0 : ends[i - 1]!, ends[i]!)));
    }
    return fused;
  };
}

function bpe(file: TokenizerFile): WordSampler {
  const { vocab, merges, unk_token, byte_fallback } = parseEntry(bpeSchema, file.model, "model BPE");
  const ids = new Map(Object.entries(vocab));
  const pairs = new PairTable(merges.length);
  merges.forEach(([left, right], rank) => {
    const [leftId, rightId, product] = [ids.get(left), ids.get(right), ids.get(left + right)];
    if (leftId === undefined || rightId === undefined || product === undefined) {
      throw unsupported(`a merge "${left} ${right}" of tokens that the vocabulary lacks`);
    }
    pairs.set(leftId, rightId, rank, product);
  });
  const unkId = unk_token ? ids.get(unk_token) : undefined;
  if (unk_token && unkId === undefined) throw unsupported(`unk_token "${unk_token}" outside its vocabulary`);
  const unknown = unknownIds(ids, unkId, byte_fallback);
  const merge = (word: string, dropout: number, rng: Rng): number[] => {
    const symbols: number[] = [];
    for (const character of word) {
      const known = ids.get(character);
      if (known !== undefined) symbols.push(known);
      else if (byte_fallback || symbols.at(-1) !== unkId) symbols.push(...unknown(character));
    }
    return mergeWithDropout(symbols, pairs, dropout, rng);
  };
  const joinsWords = [...ids.keys()].some((token) => wordEdge.test(token));
  return (word, { rng, alpha, nBest, dropout = 0.1 }) => {
    if (alpha !== undefined || nBest !== undefined) throw wrongOption("alpha or nBest", "Unigram");
    // word by word, as in the paper: in a long text something else would always merge, and what was dropped soon after
    const words = joinsWords ? [word] : word.split(wordEdge);
    return words.flatMap((part) => merge(part, dropout, rng));
  };
}

function unknownIds(
  ids: ReadonlyMap<string, number>,
  unkId: number | undefined,
  byteFallback: boolean,
): (character: string) => number[] {
  const unknown = unkId === undefined ? [] : [unkId]; // without one, the library drops what it does not know
  if (!byteFallback) return () => unknown;
  const byteIds = byteTokens.map((token) => ids.get(token));
  if (byteIds.includes(undefined)) throw unsupported("byte_fallback and a vocabulary that lacks bytes");
  return (character) => Array.from(new TextEncoder().encode(character), (byte) => byteIds[byte]!);
}

function wrongOption(option: string, algorithm: string): ConfigError {
  return new ConfigError(`subword sampling: ${option} is for ${algorithm}, which this tokenizer is not; leave it out`);
}

function unsupported(what: string): UnsupportedError {
  return new UnsupportedError(`subword sampling: tokenizer.json with ${what} is not supported; Unigram and BPE are`);
}
