/** @file What a reranker is: a model that reads question and passage together. */

/** Slower and better than comparing vectors, so it is given the few dozen passages that a search found. */
export interface Reranker {
  /** Names the model. */
  readonly model: string;
  /** A score for each text, in their order: higher answers the query better. Comparable within one call. */
  score(query: string, texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]>;
}
