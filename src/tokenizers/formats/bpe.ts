/** @file Reads and writes BPE in tokenizer.json: GPT-2, Llama, Qwen, Gemma, CLIP and their kin. */

import { z } from "zod";
import { assert, CheckpointError, UnsupportedError } from "../../base/errors.js";
import { byteCharacters } from "../algorithms/byte-alphabet.js";
import { ByteLevelBpe } from "../algorithms/byte-level-bpe.js";
import { CharacterBpe } from "../algorithms/character-bpe.js";
import { PairTable } from "../algorithms/pair-table.js";
import { parseEntry } from "../json-entry.js";
import { wholeText } from "../pretokenizers/pretokenizer.js";
import { type PretokenStep, readSteps } from "../pretokenizers/steps.js";
import { markedWords } from "../pretokenizers/words.js";
import type { TokenModel } from "../token-model.js";
import { bytePieceIds, type Vocabulary } from "../vocabulary.js";
import type { ModelContext, ModelFormat } from "./format.js";
import { idOfSetting, readVocab, vocabSchema, writeVocab } from "./vocab.js";

const modelSchema = z.strictObject({
  type: z.literal("BPE"),
  dropout: z.number().nullish(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().default(false),
  byte_fallback: z.boolean().default(false),
  ignore_merges: z.boolean().default(false),
  vocab: vocabSchema,
  merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
});
type BpeEntry = z.infer<typeof modelSchema>;

const spaceMark = "▁";

export const bpeFormat: ModelFormat = {
  name: "BPE",
  read(context) {
    const entry = parseEntry(modelSchema, context.entry, "model BPE");
    if (entry.dropout) {
      throw new UnsupportedError(
        `tokenizer.json: BPE with dropout ${entry.dropout} is not supported: ids would be random; set dropout to null`,
      );
    }
    const vocabulary = readVocab(entry.vocab);
    return readsBytes(context, entry, vocabulary)
      ? { model: byteLevelModel(entry, vocabulary, context), steps: readSteps(context.pretokenizers, true) }
      : characterParts(entry, vocabulary, context);
  },
  write(model) {
    if (model instanceof ByteLevelBpe) return writeByteLevel(model);
    assert(model instanceof CharacterBpe, "a tokenizer of this format has a BPE model");
    return writeCharacters(model);
  },
};

/** Whether the text that a model gets is bytes, each of which can be written, so that it need not be spelled out. */
function readsBytes({ pretokenizers }: ModelContext, entry: BpeEntry, vocabulary: Vocabulary): boolean {
  const isPlain = !entry.continuing_subword_prefix && !entry.end_of_word_suffix && !entry.byte_fallback;
  const hasAll = !entry.unk_token || byteCharacters.every((character) => vocabulary.id(character) !== undefined);
  return isPlain && hasAll && pretokenizers.at(-1)?.type === "ByteLevel";
}

function byteLevelModel(entry: BpeEntry, vocabulary: Vocabulary, { hidden }: ModelContext): ByteLevelBpe {
  return new ByteLevelBpe({
    tokens: vocabulary.tokens,
    merges: entry.merges.map((merge) => mergeIds(merge, vocabulary)),
    wholeWords: entry.ignore_merges,
    hidden,
  });
}

function characterParts(
  entry: BpeEntry,
  vocabulary: Vocabulary,
  { pretokenizers, hidden }: ModelContext,
): { model: TokenModel; steps: PretokenStep[] } {
  const prefix = entry.continuing_subword_prefix ?? "";
  const suffix = entry.end_of_word_suffix ?? "";
  if (entry.byte_fallback && (prefix !== "" || suffix !== "")) {
    throw new UnsupportedError(
      "tokenizer.json: BPE with byte_fallback and continuing_subword_prefix or end_of_word_suffix is not supported",
    );
  }
  const model = new CharacterBpe({
    vocabulary,
    pairs: mergeTable(entry, vocabulary, prefix),
    unknown: {
      unkId: entry.unk_token ? idOfSetting(vocabulary, "unk_token", entry.unk_token) : undefined,
      fuses: entry.fuse_unk,
      byteIds: entry.byte_fallback ? bytePieceIds((token) => vocabulary.id(token)) : undefined,
    },
    continuingPrefix: prefix,
    wordSuffix: suffix,
    wholeWords: entry.ignore_merges,
    hidden,
  });
  const steps = readSteps(pretokenizers);
  return { model, steps: hasMarkedWords(entry, model) ? steps.map(cutAtMarks) : steps };
}

/** Long pieces are cut at words, which changes no ids where no merge goes on after a word's end: short words come back. */
function cutAtMarks(step: PretokenStep, index: number, steps: readonly PretokenStep[]): PretokenStep {
  const isLast = index === steps.length - 1;
  return isLast && step.pretokenizer === wholeText ? { ...step, pretokenizer: markedWords(spaceMark) } : step;
}

function hasMarkedWords(entry: BpeEntry, { vocabulary }: CharacterBpe): boolean {
  if (entry.ignore_merges || entry.continuing_subword_prefix || entry.end_of_word_suffix) return false;
  const crosses = (merge: BpeEntry["merges"][number]): boolean => /[^▁]▁/.test(partsOf(merge).join(""));
  return vocabulary.id(spaceMark) !== undefined && !entry.merges.some(crosses);
}

function mergeTable(entry: BpeEntry, vocabulary: Vocabulary, prefix: string): PairTable {
  const pairs = new PairTable(entry.merges.length);
  entry.merges.forEach((merge, rank) => {
    const [left, right] = mergeIds(merge, vocabulary);
    const product = vocabulary.tokens[left]! + vocabulary.tokens[right]!.slice(prefix.length);
    const id = vocabulary.id(product);
    if (id === undefined) {
      throw new CheckpointError(`BPE: merge ${rank} makes "${product}", which the vocabulary does not have`);
    }
    pairs.set(left, right, rank, id);
  });
  return pairs;
}

function partsOf(merge: BpeEntry["merges"][number]): readonly string[] {
  return typeof merge === "string" ? merge.split(" ") : merge;
}

function mergeIds(merge: BpeEntry["merges"][number], vocabulary: Vocabulary): [number, number] {
  const [left = "", right = "", ...rest] = partsOf(merge);
  const [leftId, rightId] = [vocabulary.id(left), vocabulary.id(right)];
  if (leftId === undefined || rightId === undefined || rest.length > 0) {
    throw new CheckpointError(`tokenizer.json: merge "${left} ${right}" is not of two tokens of the vocabulary`);
  }
  return [leftId, rightId];
}

function writeByteLevel(model: ByteLevelBpe): Record<string, unknown> {
  const tokens = Array.from({ length: model.vocabSize }, (_, id) => model.token(id));
  return {
    ...settings({ ignoreMerges: model.wholeWords }),
    vocab: writeVocab(tokens),
    merges: model.merges().map(([left, right]) => [tokens[left] ?? "", tokens[right] ?? ""]),
  };
}

function writeCharacters({ options, vocabulary }: CharacterBpe): Record<string, unknown> {
  const { unknown, continuingPrefix = "", wordSuffix = "", wholeWords = false, pairs } = options;
  const token = (id: number): string => vocabulary.tokens[id] ?? "";
  return {
    ...settings({
      unkToken: unknown.unkId === undefined ? null : token(unknown.unkId),
      prefix: continuingPrefix || null,
      suffix: wordSuffix || null,
      fusesUnk: unknown.fuses,
      byteFallback: unknown.byteIds !== undefined,
      ignoreMerges: wholeWords,
    }),
    vocab: writeVocab(vocabulary.tokens),
    merges: pairs.byRank().map(([left, right]) => [token(left), token(right)]),
  };
}

interface BpeSettings {
  readonly unkToken?: string | null;
  readonly prefix?: string | null;
  readonly suffix?: string | null;
  readonly fusesUnk?: boolean;
  readonly byteFallback?: boolean;
  readonly ignoreMerges: boolean;
}

function settings(written: BpeSettings): Record<string, unknown> {
  return {
    type: "BPE",
    dropout: null,
    unk_token: written.unkToken ?? null,
    continuing_subword_prefix: written.prefix ?? null,
    end_of_word_suffix: written.suffix ?? null,
    fuse_unk: written.fusesUnk ?? false,
    byte_fallback: written.byteFallback ?? false,
    ignore_merges: written.ignoreMerges,
  };
}
