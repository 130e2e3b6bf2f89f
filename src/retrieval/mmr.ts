/** @file Relevant and unlike what is taken already: maximal marginal relevance. */
import { ConfigError } from "../base/errors.js";
import { documentTerms } from "./terms.js";

export interface MmrOptions {
  /** How many are taken; fewer where there are not so many. */
  readonly count: number;
  /** Weight of relevance, from 0 to 1; the rest is that of not repeating. Default 0.7. */
  readonly lambda?: number;
}

/**
 * Takes again and again the candidate with the highest λ · relevance - (1 - λ) · greatest similarity to one that is taken.
 * @param relevance of each candidate, on a scale like that of similarity.
 * @param similarity of two candidates.
 * @returns places of those taken with the score at which they were, in order; of equal ones the earlier first.
 * @throws ConfigError when λ is not between 0 and 1.
 * Source: Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
 * summaries", SIGIR 1998, section 2.
 */
export function maximalMarginalRelevance(
  relevance: ArrayLike<number>,
  similarity: (candidate: number, taken: number) => number,
  { count, lambda = 0.7 }: MmrOptions,
): { readonly index: number; readonly score: number }[] {
  if (!(lambda >= 0 && lambda <= 1)) throw new ConfigError(`MMR: lambda must be between 0 and 1, got ${lambda}`);
  const left = new Set(Array.from({ length: relevance.length }, (_, i) => i));
  const repeated = new Float64Array(relevance.length);
  const taken: { index: number; score: number }[] = [];
  while (taken.length < count && left.size > 0) {
    const score = (index: number): number => lambda * relevance[index]! - (1 - lambda) * repeated[index]!;
    const index = [...left].reduce((best, other) => (score(other) > score(best) ? other : best));
    taken.push({ index, score: score(index) });
    left.delete(index);
    // the first one taken sets the values, because similarity may be negative
    for (const other of left) {
      const alike = similarity(other, index);
      repeated[other] = taken.length === 1 ? alike : Math.max(repeated[other]!, alike);
    }
  }
  return taken;
}

/** How alike two of the things are: by their unit vectors where all have one, by the terms of their texts otherwise. */
export function similarityOf(
  things: readonly { readonly text: string; readonly vector?: Float32Array }[],
): (a: number, b: number) => number {
  if (things.every(({ vector }) => vector !== undefined)) {
    return (a, b) => things[a]!.vector!.reduce((sum, x, i) => sum + x * things[b]!.vector![i]!, 0);
  }
  const terms = things.map(({ text }) => documentTerms(text).counts);
  return (a, b) => {
    const [few, many] = terms[a]!.size < terms[b]!.size ? [terms[a]!, terms[b]!] : [terms[b]!, terms[a]!];
    let common = 0;
    for (const term of few.keys()) if (many.has(term)) common++;
    return common === 0 ? 0 : common / Math.sqrt(few.size * many.size);
  };
}
