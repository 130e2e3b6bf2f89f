/** @file An embedder that notes what it is asked, for tests of what stands before one. */

import { Rng } from "../../src/base/rng.js";
import type { Embedder } from "../../src/embed/embedder.js";

export interface CountingEmbedder extends Embedder {
  /** Every text that was asked for, in order. */
  readonly asked: string[];
}

/** Eight numbers that depend on the text and its kind alone. */
export function countingEmbedder(model = "counting"): CountingEmbedder {
  const asked: string[] = [];
  return {
    model,
    dimension: 8,
    asked,
    embed: async (texts, kind) => {
      asked.push(...texts);
      return texts.map((text) => vectorOf(`${kind} ${text}`));
    },
  };
}

function vectorOf(text: string): Float32Array {
  const rng = new Rng([...text].reduce((hash, character) => (hash * 31 + character.codePointAt(0)!) | 0, 7));
  const values = Float32Array.from({ length: 8 }, () => rng.normal());
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}
