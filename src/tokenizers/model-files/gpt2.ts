/** @file Reads vocab.json and merges.txt, the files of GPT-2 and its kin. */

import { UnsupportedError } from "../../base/errors.js";
import type { TokenizerFile } from "../formats/format.js";
import { vocabSchema } from "../formats/vocab.js";
import { cl100kPattern } from "../pretokenizers/cl100k.js";
import { linesOf, readJson, type TokenizerConfig } from "./config.js";

const plain = /^(?:CodeGen|GPT2|GPTNeoX|Whisper)Tokenizer$/;
const roberta = /^(?:Bart|LED|Longformer|MVP|Roberta)Tokenizer$/;
const qwen = /^Qwen2Tokenizer$/;
const robertaDefaults = {
  bos: "<s>",
  eos: "</s>",
  sep: "</s>",
  cls: "<s>",
  unk: "<unk>",
  pad: "<pad>",
  mask: "<mask>",
};

/**
 * What tokenizer.json would say. Without a configuration it is GPT-2's.
 * @throws CheckpointError when vocab.json is not a vocabulary.
 * @throws UnsupportedError on a class of tokenizer that cuts texts in other ways.
 */
export function gpt2File(
  files: ReadonlyMap<string, Uint8Array>,
  merges: Uint8Array,
  config: TokenizerConfig,
): TokenizerFile {
  const name = config.tokenizerClass ?? "GPT2Tokenizer";
  const kind = [plain, roberta, qwen].find((pattern) => pattern.test(name));
  if (kind === undefined) {
    throw new UnsupportedError(
      `vocab.json and merges.txt: tokenizer_class ${name} is not supported; save the tokenizer as tokenizer.json with transformers`,
    );
  }
  const vocab = readJson(files, "vocab.json", vocabSchema) ?? {};
  const ids = new Map(Object.entries(vocab));
  const defaults = kind === roberta ? robertaDefaults : { eos: "<|endoftext|>", unk: "<|endoftext|>" };
  const byteLevel = {
    type: "ByteLevel",
    add_prefix_space: config.flag("add_prefix_space") ?? false,
    trim_offsets: true,
    use_regex: kind !== qwen,
  };
  const split = { type: "Split", pattern: { Regex: cl100kPattern(1) }, behavior: "Isolated", invert: false };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: config.addedTokens((token) => ids.get(token), defaults),
    normalizer: kind === qwen ? { type: "NFC" } : null,
    pre_tokenizer: kind === qwen ? { type: "Sequence", pretokenizers: [split, byteLevel] } : byteLevel,
    post_processor: kind === roberta ? robertaProcessor(ids, config) : gpt2Processor(ids, config),
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: "BPE", vocab, merges: mergesOf(merges) },
  };
}

function robertaProcessor(ids: ReadonlyMap<string, number>, config: TokenizerConfig) {
  const pair = (role: "cls" | "sep") => {
    const token = config.token(role) ?? robertaDefaults[role];
    return [token, ids.get(token) ?? -1] as const;
  };
  return { type: "RobertaProcessing", sep: pair("sep"), cls: pair("cls"), trim_offsets: true, add_prefix_space: false };
}

/** BOS before each text where the configuration asks for it. */
function gpt2Processor(ids: ReadonlyMap<string, number>, config: TokenizerConfig): { type: string } | null {
  const bos = config.token("bos");
  const id = bos === undefined ? undefined : ids.get(bos);
  if (config.flag("add_bos_token") !== true || bos === undefined || id === undefined) return null;
  const piece = (type_id: number) => ({ SpecialToken: { id: bos, type_id } });
  const text = (name: string, type_id: number) => ({ Sequence: { id: name, type_id } });
  return {
    type: "TemplateProcessing",
    ...{ single: [piece(0), text("A", 0)], pair: [piece(0), text("A", 0), piece(1), text("B", 1)] },
    ...{ special_tokens: { [bos]: { id: bos, ids: [id], tokens: [bos] } } },
  };
}

/** One merge per line, after a line that may say which version made the file. */
function mergesOf(bytes: Uint8Array): string[] {
  return linesOf(bytes).filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version")));
}
