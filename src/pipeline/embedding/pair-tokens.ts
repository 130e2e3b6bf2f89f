/** @file Pairs as token ids with their prompts, and what does not fit. */

import { DataError } from "../../base/errors.js";
import type { TextPair } from "../../datasets/index.js";
import type { LoadedEncoder } from "../../presets/index.js";
import type { TokenPair } from "../../train/index.js";
import type { EmbeddingSettings } from "./embedding-config.js";

export interface TokenizedPairs {
  readonly pairs: readonly TokenPair[];
  /** Texts whose end was cut. */
  readonly numCut: number;
}

const SHOWN = 5;

/**
 * Ids with the model's special tokens around them.
 * @param numNegatives of each pair; further ones are left out.
 * @throws DataError naming the lines of texts that are too long, where they are not to be cut.
 */
export function tokenizePairs(
  pairs: readonly TextPair[],
  loaded: LoadedEncoder,
  numNegatives: number,
  overLong: EmbeddingSettings["overLong"],
): TokenizedPairs {
  const { tokenizer, prompts, maxTokens } = loaded;
  const { prefix, suffix } = tokenizer.template;
  const room = maxTokens - prefix.length - suffix.length;
  const cut: string[] = [];
  const encode = (text: string, { place }: TextPair): Int32Array => {
    const ids = tokenizer.encode(text);
    if (ids.length > room) cut.push(`${place.file}:${place.line} (${ids.length + prefix.length + suffix.length})`);
    return Int32Array.from([...prefix, ...ids.subarray(0, room), ...suffix]);
  };
  const tokenized = pairs.map((pair) => ({
    query: encode(prompts.query + pair.query, pair),
    positive: encode(prompts.passage + pair.positive, pair),
    negatives: pair.negatives.slice(0, numNegatives).map((text) => encode(prompts.passage + text, pair)),
  }));
  if (cut.length > 0 && overLong === "error") {
    const more = cut.length > SHOWN ? ` and ${cut.length - SHOWN} more` : "";
    throw new DataError(
      `pairs: ${cut.length} texts have more than ${maxTokens} tokens: ${cut.slice(0, SHOWN).join(", ")}${more}; cut them into passages, give a longer length, or overLong "keep-start" to learn from their beginnings`,
    );
  }
  return { pairs: tokenized, numCut: cut.length };
}
