/** @file An embedder that computes no vector twice: what it was asked once is on the disk, by content. */

import { createHash } from "node:crypto";
import type { Embedder, TextKind } from "../embedder.js";
import { KEY_BYTES } from "./segment.js";
import { VectorCache } from "./vector-cache.js";

export interface CacheOptions {
  /** Bytes on the disk for this model; the oldest vectors go first. Default 1 GiB. */
  readonly maxBytes?: number;
}

/** What came from the disk and what did not, in texts. */
export interface CacheStatistics {
  readonly hits: number;
  readonly misses: number;
  /** Records that were damaged on the disk; their texts are among the misses. */
  readonly damaged: number;
}

export interface CachedEmbedder extends Embedder {
  readonly statistics: CacheStatistics;
}

/**
 * Keeps the vectors of `embedder` in a folder, keyed by a hash of its model, the kind of text and the text. Any number of
 * models and processes may share the folder; a kill at any moment costs at most a vector; a damaged one is made again.
 * Token vectors are not kept. Closing it closes the embedder.
 * @throws ConfigError for a size that holds nothing; CheckpointError when the folder cannot be used.
 */
export async function cachedEmbedder(
  embedder: Embedder,
  folder: string,
  { maxBytes = 2 ** 30 }: CacheOptions = {},
): Promise<CachedEmbedder> {
  const { model, dimension } = embedder;
  const cache = await VectorCache.open(folder, digest(`${model}\n${dimension}`, 8), dimension, maxBytes);
  let [hits, misses] = [0, 0];
  const embed = async (texts: readonly string[], kind: TextKind, signal?: AbortSignal): Promise<Float32Array[]> => {
    const keys = texts.map((text) => digest(JSON.stringify([model, kind, text]), KEY_BYTES));
    const known = new Map<string, Float32Array>();
    const missing = new Map<string, string>();
    for (const [i, key] of keys.entries()) {
      const vector = known.get(key) ?? (missing.has(key) ? undefined : await cache.get(key));
      if (vector) {
        known.set(key, vector);
        hits++;
      } else {
        missing.set(key, texts[i]!);
        misses++;
      }
    }
    if (missing.size > 0) {
      const made = await embedder.embed([...missing.values()], kind, signal);
      const entries = [...missing.keys()].map((key, i) => [key, made[i]!] as const);
      await cache.add(entries);
      for (const [key, vector] of entries) known.set(key, vector);
    }
    // a copy each: callers may change what they are given
    return keys.map((key) => known.get(key)!.slice());
  };
  return {
    model,
    dimension,
    embed,
    ...(embedder.embedTokens && { embedTokens: (text: string) => embedder.embedTokens!(text) }),
    get statistics() {
      return { hits, misses, damaged: cache.numDamaged };
    },
    async close() {
      await cache.close();
      await embedder.close?.();
    },
  };
}

const digest = (text: string, bytes: number): string =>
  createHash("sha256")
    .update(text)
    .digest("hex")
    .slice(0, 2 * bytes);
