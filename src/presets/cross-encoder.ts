/** @file A cross-encoder from disk as a reranker: BERT and its relatives with a head for one class per sequence. */

import { ConfigError } from "../base/errors.js";
import { readModel } from "../checkpoint/index.js";
import { encoderFromConfig, pickParameters } from "../models/index.js";
import { encoderParameters } from "../nn/index.js";
import { predict, predictionChain } from "../plan/index.js";
import type { Reranker } from "../retrieval/index.js";
import type { Runtime } from "../runtime/index.js";
import { encodePair, type TemplatedEncoding, tokenizerFromFiles } from "../tokenizers/index.js";

export interface CrossEncoderOptions {
  /** Pairs in one run. Default 16. */
  readonly batchSize?: number;
  /** Names the model. Default its folder. */
  readonly model?: string;
}

/**
 * Loads a cross-encoder from a folder (config.json, safetensors, tokenizer files): a checkpoint whose architecture is
 * `…ForSequenceClassification` with one label, its score, or two, of which the second is "relevant". Pairs that are too
 * long are cut at their ends, the longer text first, as sentence-transformers does. The scores are logits.
 * @throws CheckpointError naming the first parameter that is missing; ConfigError for another family, number of labels, or
 * a tokenizer without a template for two texts.
 */
export async function loadCrossEncoder(
  runtime: Runtime,
  path: string,
  { batchSize = 16, model = path }: CrossEncoderOptions = {},
): Promise<Reranker> {
  const { config, tensors, files } = await readModel(path);
  const family = encoderFromConfig(config);
  const { encoder } = family;
  const head = family.head("sequence-classification");
  if (head.numLabels > 2) {
    throw new ConfigError(
      `loading a cross-encoder from ${path}: expected 1 or 2 labels, the model has ${head.numLabels}`,
    );
  }
  const parameters = pickParameters([...encoderParameters(encoder), ...head.parameters], tensors);
  const tokenizer = tokenizerFromFiles(files);
  const stages = predictionChain(encoder, head);
  const padId = Number(encoder.config.pad_token_id ?? 0);

  async function scoreBatch(pairs: readonly TemplatedEncoding[]): Promise<number[]> {
    const time = Math.max(...pairs.map(({ ids }) => ids.length));
    const batch = {
      batchSize: pairs.length,
      ids: rows(pairs, time, padId, ({ ids }) => ids),
      mask: rows(pairs, time, 0, ({ ids }) => new Int32Array(ids.length).fill(1)),
      ...(encoder.numTokenTypes > 1 && { tokenTypes: rows(pairs, time, 0, ({ typeIds }) => typeIds) }),
    };
    const { data } = await predict(runtime, encoder, head, parameters, batch, stages);
    const logit = (row: number, label: number): number => Number(data[row * head.numLabels + label]);
    return pairs.map((_, row) => (head.numLabels === 1 ? logit(row, 0) : logit(row, 1) - logit(row, 0)));
  }

  return {
    model,
    async score(query, texts, signal) {
      const pairs = texts.map((text, index) => ({
        index,
        pair: encodePair(tokenizer, query, text, { maxLength: encoder.maxPositions }),
      }));
      // pairs of like length are run together
      pairs.sort((a, b) => a.pair.ids.length - b.pair.ids.length);
      const scores = new Array<number>(texts.length);
      for (let start = 0; start < pairs.length; start += batchSize) {
        signal?.throwIfAborted();
        const group = pairs.slice(start, start + batchSize);
        const scored = await scoreBatch(group.map(({ pair }) => pair));
        for (const [row, { index }] of group.entries()) scores[index] = scored[row]!;
      }
      return scores;
    },
  };
}

/** Numbers of each pair as rows of one length, filled up at their ends. */
function rows(
  pairs: readonly TemplatedEncoding[],
  time: number,
  filler: number,
  of: (pair: TemplatedEncoding) => Int32Array,
): Int32Array {
  const filled = new Int32Array(pairs.length * time).fill(filler);
  for (const [i, pair] of pairs.entries()) filled.set(of(pair), i * time);
  return filled;
}
