/** @file What a pipeline starts from: a checkpoint, or a small model of its own. */

import { createHash } from "node:crypto";
import { z } from "zod";
import type { HostTensor } from "../base/host-tensor.js";
import { type JsonValue, resolveModel } from "../checkpoint/index.js";
import { type LlamaConfig, llama } from "../models/index.js";
import { initialize, type LanguageModel, parameterSpecs } from "../nn/index.js";
import { type LoadedModel, loadModel } from "../presets/load.js";
import {
  type JsonTokenizer,
  type Tokenizer,
  tokenizerFromJson,
  toTokenizerJson,
  trainByteLevelBpe,
} from "../tokenizers/index.js";
import { type Corpus, type DocumentMarks, hashTensor, sha256 } from "./corpus.js";
import type { Workspace } from "./workspace.js";

/** A tokenizer with what a model expects around a document, and its identity. */
export interface TextCodec {
  readonly tokenizer: Tokenizer;
  readonly marks: DocumentMarks;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly hash: string;
}

/** A model to train: its parameters are made when they are needed. */
export interface Candidate {
  readonly model: LanguageModel;
  readonly config: Readonly<Record<string, JsonValue>>;
  readonly parameters: () => Map<string, HostTensor>;
}

const END = "<|endoftext|>";

/** Ids of a vocabulary for text of so many bytes: small, so that a small model's parameters are not all embeddings. */
function vocabSizeFor(bytes: number): number {
  return bytes < 2e5 ? 1024 : bytes < 5e6 ? 2048 : bytes < 5e7 ? 8192 : 16_384;
}

/** What the tokenizer was trained on. */
const sourceSchema = z.object({ bytes: z.number(), documents: z.number() });

/**
 * The folder's own tokenizer: the one of earlier runs while the text has at most doubled since, so that an edit does not
 * cut every document anew; otherwise one trained on the documents.
 */
export async function ownCodec(corpus: Corpus, workspace: Workspace): Promise<TextCodec> {
  const bytes = corpus.documents.reduce((sum, { numBytes }) => sum + numBytes, 0);
  const text = await workspace.readText("tokenizer.json");
  const trainedOn = (await workspace.read(sourceSchema, "tokenizer-source.json"))?.bytes ?? 0;
  if (text !== undefined && bytes <= 2 * trainedOn) return codecOf(tokenizerFromJson(text), text);
  const tokenizer = trainByteLevelBpe(
    corpus.documents.map((document) => document.text),
    { vocabSize: vocabSizeFor(bytes), specialTokens: [END], pretokenizer: "gpt2" },
  );
  const json = toTokenizerJson(tokenizer);
  await workspace.writeText(json, "tokenizer.json");
  await workspace.write({ bytes, documents: corpus.documents.length }, "tokenizer-source.json");
  return codecOf(tokenizer, json);
}

function codecOf(tokenizer: JsonTokenizer, json: string): TextCodec {
  const end = tokenizer.tokenId(END)!;
  return {
    tokenizer,
    marks: { prefix: [end], suffix: [end] },
    files: new Map([["tokenizer.json", new TextEncoder().encode(json)]]),
    hash: sha256(json),
  };
}

/** Widths and depths to choose from, in growing cost. Heads have 32 dimensions. */
const SIZES = [
  { hidden: 96, layers: 2 },
  { hidden: 128, layers: 2 },
  { hidden: 128, layers: 4 },
  { hidden: 192, layers: 4 },
  { hidden: 256, layers: 6 },
  { hidden: 384, layers: 8 },
  { hidden: 512, layers: 12 },
] as const;

/** Positions of a model of one's own: long enough for a passage, short enough to be learnt in a minute. */
const OWN_CONTEXT = 256;

/** Small Llamas for a codec, from the largest to the smallest. */
export function ownCandidates({ tokenizer, marks }: TextCodec, seed: number): Candidate[] {
  return [...SIZES].reverse().map(({ hidden, layers }) => {
    const config = {
      model_type: "llama",
      vocab_size: tokenizer.vocabSize,
      hidden_size: hidden,
      // two thirds of four times the width, as SwiGLU has three matrices (Shazeer 2020), in multiples of 32
      intermediate_size: Math.round((hidden * 8) / 3 / 32) * 32,
      num_hidden_layers: layers,
      num_attention_heads: hidden / 32,
      num_key_value_heads: hidden / 32,
      max_position_embeddings: OWN_CONTEXT,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: true,
      bos_token_id: marks.prefix[0]!,
      eos_token_id: marks.suffix[0]!,
    } satisfies LlamaConfig;
    const model = llama(config);
    return {
      model,
      config: { ...model.config } as Record<string, JsonValue>,
      parameters: () => initialize(parameterSpecs(model), seed),
    };
  });
}

/** A checkpoint as candidate and codec, with a hash of its weights. */
export async function baseCandidate(path: string): Promise<{ candidate: Candidate; codec: TextCodec; hash: string }> {
  const loaded = await loadModel(await resolveModel(path));
  const hash = createHash("sha256");
  for (const [name, tensor] of loaded.parameters) hashTensor(hash, name, tensor);
  const tokenizerHash = createHash("sha256");
  for (const bytes of loaded.tokenizerFiles.values()) tokenizerHash.update(bytes);
  const { model, config, parameters, tokenizer } = loaded;
  return {
    candidate: { model, config, parameters: () => parameters },
    codec: { tokenizer, marks: marksOf(loaded), files: loaded.tokenizerFiles, hash: tokenizerHash.digest("hex") },
    hash: hash.digest("hex"),
  };
}

/** What the tokenizer's template or the config say belongs around a text. */
export function marksOf({ tokenizer, config }: Pick<LoadedModel, "tokenizer" | "config">): DocumentMarks {
  const ids = (value: JsonValue | undefined): number[] => (typeof value === "number" ? [value] : []);
  const { prefix, suffix } = tokenizer.template;
  return {
    prefix: prefix.length > 0 ? prefix : ids(config.bos_token_id),
    suffix: suffix.length > 0 ? suffix : ids(config.eos_token_id),
  };
}
