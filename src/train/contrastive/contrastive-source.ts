/** @file Contrastive training of an encoder: the gradients of a batch of pairs, of whatever size. */

import { DataError } from "../../base/errors.js";
import type { InBatchOptions } from "../../plan/index.js";
import type { Runtime } from "../../runtime/index.js";
import type { GradientSource } from "../gradient-loop.js";
import { CachedGradients, type CachedGradientsOptions, type EmbeddingModel } from "./cached-gradients.js";
import { InBatchLoss } from "./in-batch-loss.js";

/** Token ids of a query, of the passage that answers it, and of passages that do not. */
export interface TokenPair {
  readonly query: ArrayLike<number>;
  readonly positive: ArrayLike<number>;
  readonly negatives: readonly ArrayLike<number>[];
}

export interface ContrastiveOptions extends CachedGradientsOptions, InBatchOptions {
  /** Pairs of a step. */
  readonly batch: number;
  /** Hard negatives of each pair. Default 0. */
  readonly numNegatives?: number;
}

export interface ContrastiveWork {
  /** The pairs of step `index`, counted from 0. */
  batch(index: number): readonly TokenPair[];
  /** A figure of the parameters as they are. */
  evaluate?(): Promise<number>;
}

/**
 * For `trainByGradients`. All passages of a step are candidates for each of its queries, so a larger batch is a harder task,
 * and takes time but no memory: embeddings are made and differentiated in micro-batches (`CachedGradients`).
 * @throws ConfigError when nothing is trainable or a number is out of range; steps throw DataError for a batch of another
 * size, and for texts that the encoder does not take.
 */
export async function contrastiveSource(
  runtime: Runtime,
  model: EmbeddingModel,
  work: ContrastiveWork,
  { batch, numNegatives = 0, scale, isSymmetric, ...options }: ContrastiveOptions,
): Promise<GradientSource> {
  const towers = await CachedGradients.create(runtime, model, options);
  const loss = await InBatchLoss.create(runtime, {
    batch,
    numNegatives,
    width: towers.width,
    ...(scale !== undefined && { scale }),
    ...(isSymmetric !== undefined && { isSymmetric }),
  });
  return {
    gradients: towers.gradients,
    async step(index, seed) {
      const rows = rowsOf(work.batch(index), batch, numNegatives);
      const vectors = await towers.embed(rows, seed);
      const numQueryValues = batch * towers.width;
      (loss.queries.data as Float32Array).set(vectors.subarray(0, numQueryValues));
      (loss.passages.data as Float32Array).set(vectors.subarray(numQueryValues));
      const value = await loss.run();
      // the vectors are spent: their gradients take their place
      vectors.set(loss.queryGradients.data as Float32Array);
      vectors.set(loss.passageGradients.data as Float32Array, numQueryValues);
      await towers.backward(vectors);
      return { loss: value, scale: 1 };
    },
    ...(work.evaluate && { evaluate: () => work.evaluate!() }),
    close() {
      towers.close();
      loss.close();
    },
  };
}

/** Queries, then their partners, then the first negative of each, the second of each, and so on. */
function rowsOf(pairs: readonly TokenPair[], batch: number, numNegatives: number): ArrayLike<number>[] {
  const wrong = pairs.find(({ negatives }) => negatives.length !== numNegatives);
  if (pairs.length !== batch || wrong) {
    throw new DataError(
      `contrastive training: expected ${batch} pairs with ${numNegatives} negatives, got ${wrong ? `one with ${wrong.negatives.length}` : pairs.length}`,
    );
  }
  const places = Array.from({ length: numNegatives }, (_, i) => i);
  return [
    ...pairs.map(({ query }) => query),
    ...pairs.map(({ positive }) => positive),
    ...places.flatMap((i) => pairs.map(({ negatives }) => negatives[i]!)),
  ];
}
