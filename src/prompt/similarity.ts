/** @file How near candidates of a prompt are to a question and to each other. */

import { ConfigError } from "../base/errors.js";
import { TextIndex } from "../retrieval/text-index.js";

/** Nearness of candidates, at most 1; what a question is depends on how it is measured. */
export interface Similarity<Question> {
  readonly numCandidates: number;
  /** [candidates]. */
  toQuestion(question: Question): Float64Array;
  /** Of all candidates to one of them, [candidates]. */
  toCandidate(index: number): Float64Array;
}

/** BM25 of texts, as shares of the best one's. */
export class Bm25Similarity implements Similarity<string> {
  readonly #index: TextIndex;
  readonly #rows = new Map<number, Float64Array>();

  constructor(texts: readonly string[]) {
    this.#index = new TextIndex(texts);
  }

  get numCandidates(): number {
    return this.#index.texts.length;
  }

  toQuestion(question: string): Float64Array {
    const ranked = this.#index.rank(question);
    const scores = new Float64Array(this.numCandidates);
    for (const { key, score } of ranked) scores[key] = score / ranked[0]!.score;
    return scores;
  }

  toCandidate(index: number): Float64Array {
    const row = this.#rows.get(index) ?? this.toQuestion(this.#index.texts[index]!);
    this.#rows.set(index, row);
    return row;
  }
}

/** Cosine of vectors of one length. */
export class VectorSimilarity implements Similarity<ArrayLike<number>> {
  /** @throws ConfigError when vectors differ in length. */
  constructor(private readonly vectors: readonly ArrayLike<number>[]) {
    for (const { length } of vectors) this.#checkLength(length);
  }

  get numCandidates(): number {
    return this.vectors.length;
  }

  toQuestion(question: ArrayLike<number>): Float64Array {
    this.#checkLength(question.length);
    return Float64Array.from(this.vectors, (vector) => cosine(vector, question));
  }

  toCandidate(index: number): Float64Array {
    return this.toQuestion(this.vectors[index]!);
  }

  #checkLength(length: number): void {
    const expected = this.vectors[0]?.length ?? length;
    if (length !== expected)
      throw new ConfigError(
        `similarity: expected vectors of ${expected} numbers as the first has, got one of ${length}`,
      );
  }
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    ofA += a[i]! * a[i]!;
    ofB += b[i]! * b[i]!;
  }
  return ofA === 0 || ofB === 0 ? 0 : dot / Math.sqrt(ofA * ofB);
}
