/** @file Reads and writes tokenizer.json of byte-level BPE: GPT-2, SmolLM, Llama 3, Qwen 2 and their kin. */

import { z } from "zod";
import { assert, CheckpointError, UnsupportedError } from "../../base/errors.js";
import { byteCharacters } from "../algorithms/byte-alphabet.js";
import { ByteLevelBpe } from "../algorithms/byte-level-bpe.js";
import { parseEntry, typedSchema } from "../json-entry.js";
import type { PipelineParts } from "../pipeline.js";
import { CharClasses } from "../pretokenizers/char-classes.js";
import { Gpt2Pretokenizer } from "../pretokenizers/gpt2.js";
import { readPretokenizer } from "../pretokenizers/index.js";
import { inSequence, wholeText } from "../pretokenizers/pretokenizer.js";
import type { ModelFormat, TokenizerFile } from "./format.js";

/** Far above real vocabularies; a larger id in a broken file would make tables that fill the memory. */
const maxIds = 2 ** 22;

const byteLevelSchema = z.strictObject({
  type: z.literal("ByteLevel"),
  add_prefix_space: z.boolean(),
  trim_offsets: z.boolean().optional(),
  use_regex: z.boolean().default(true),
});
const sequenceSchema = z.strictObject({ type: z.literal("Sequence"), pretokenizers: z.array(typedSchema) });
const modelSchema = z.strictObject({
  type: z.literal("BPE"),
  dropout: z.number().nullish(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().optional(),
  byte_fallback: z.boolean().optional(),
  ignore_merges: z.boolean().default(false),
  // not a z.record: that would lose the token "__proto__"
  vocab: z.custom<Readonly<Record<string, number>>>(isVocabulary, `vocab must map tokens to ids below ${maxIds}`),
  merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
});
type Merge = z.infer<typeof modelSchema>["merges"][number];

export const byteLevelBpeFormat: ModelFormat = {
  name: "BPE",
  read(file) {
    if (file.decoder?.type !== "ByteLevel") throw unsupported(`decoder ${file.decoder?.type ?? "null"}`);
    return { model: readModel(file.model), ...readByteLevel(file.pre_tokenizer) };
  },
  write(model) {
    assert(model instanceof ByteLevelBpe, "a tokenizer of this format has a byte-level BPE model");
    const token = (id: number): string => model.token(id) ?? "";
    const ids = Array.from({ length: model.vocabSize }, (_, id) => id).filter((id) => model.token(id) !== undefined);
    return {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: model.wholeWords,
      vocab: Object.fromEntries(ids.map((id) => [token(id), id])),
      merges: model.merges().map(([left, right]) => [token(left), token(right)]),
    };
  },
};

/**
 * Reads a `pre_tokenizer` entry: any pre-tokenizers, of which the last is `ByteLevel`, after which there are bytes, not
 * text.
 * @throws UnsupportedError when it is anything else.
 */
export function readByteLevel(
  entry: TokenizerFile["pre_tokenizer"],
): Required<Pick<PipelineParts, "pretokenizer" | "prefixSpace">> {
  if (!entry) throw unsupported("no pre-tokenizer");
  const isSequence = entry.type === "Sequence";
  const steps = isSequence ? parseEntry(sequenceSchema, entry, "pre_tokenizer").pretokenizers : [entry];
  const last = steps.at(-1);
  if (last?.type !== "ByteLevel") throw unsupported(`pre-tokenizer ${last?.type ?? entry.type} in the last place`);
  const byteLevel = parseEntry(byteLevelSchema, last, "pre_tokenizer ByteLevel");
  if (byteLevel.add_prefix_space && steps.length > 1) throw unsupported("add_prefix_space after other pre-tokenizers");
  const classes = new CharClasses();
  const pretokenizers = steps.slice(0, -1).map((step) => readPretokenizer(step, classes));
  if (byteLevel.use_regex) pretokenizers.push(new Gpt2Pretokenizer(classes));
  return {
    pretokenizer: pretokenizers.length === 0 ? wholeText : inSequence(pretokenizers),
    prefixSpace: byteLevel.add_prefix_space ? "stretch" : "none",
  };
}

function readModel(json: unknown): ByteLevelBpe {
  const entry = parseEntry(modelSchema, json, "model BPE");
  if (entry.dropout) throw unsupported(`dropout ${entry.dropout}`);
  if (entry.continuing_subword_prefix) throw unsupported("continuing_subword_prefix");
  if (entry.end_of_word_suffix) throw unsupported("end_of_word_suffix");
  if (entry.byte_fallback) throw unsupported("byte_fallback");
  const vocab = new Map(Object.entries(entry.vocab));
  if (entry.unk_token && byteCharacters.some((character) => !vocab.has(character))) {
    throw unsupported("unk_token with a vocabulary that lacks bytes");
  }
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of vocab) tokens[id] = token;
  return new ByteLevelBpe({
    tokens: Array.from(tokens),
    merges: entry.merges.map((merge) => mergeIds(merge, vocab)),
    wholeWords: entry.ignore_merges,
  });
}

function isVocabulary(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((id) => isId(id));
}

function isId(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < maxIds;
}

function mergeIds(merge: Merge, vocab: ReadonlyMap<string, number>): [number, number] {
  const [left = "", right = "", ...rest] = typeof merge === "string" ? merge.split(" ") : merge;
  const [leftId, rightId] = [vocab.get(left), vocab.get(right)];
  if (leftId === undefined || rightId === undefined || rest.length > 0) {
    throw new CheckpointError(`tokenizer.json: merge "${left} ${right}" is not of two tokens of the vocabulary`);
  }
  return [leftId, rightId];
}

function unsupported(what: string): UnsupportedError {
  return new UnsupportedError(`tokenizer.json: BPE with ${what} is not supported; byte-level BPE is`);
}
