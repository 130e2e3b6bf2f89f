/** @file All ways in which the pieces of a vocabulary make up the training text: one edge per piece and place. */

import { CapacityError } from "../../base/errors.js";
import type { Seeds, TrainingText } from "./unigram-seeds.js";

/** Edges are counted in 32 bits; 8 GB of them would not fit most machines anyway. */
const maxEdges = 2 ** 31 - 1;

/**
 * Edges lie by their start position. Pieces only ever leave the vocabulary, so that edges are found once and then
 * filtered, and no search of pieces in text is needed.
 */
export class UnigramLattice {
  readonly #text: TrainingText;
  /** Piece of each edge. */
  readonly #edges: Int32Array;
  /** By position: where its edges begin. */
  readonly #firstEdge: Int32Array;
  /** By piece. */
  #lengths: Uint8Array;
  /** By piece: a place where it stands. */
  #places: Int32Array;
  /** By position, and one more: log probability of the best way to it, the piece that it ends with, sums over all ways. */
  readonly #best: Float64Array;
  readonly #bestPiece: Int32Array;
  readonly #forward: Float64Array;
  readonly #backward: Float64Array;

  /** Pieces are the alphabet's characters, then the seeds. */
  constructor(text: TrainingText, seeds: Seeds) {
    const numPieces = text.alphabet.length + seeds.lengths.length;
    this.#text = text;
    this.#lengths = new Uint8Array(numPieces).fill(1);
    this.#lengths.set(seeds.lengths, text.alphabet.length);
    this.#places = new Int32Array(numPieces).fill(-1);
    const length = text.symbols.length;
    this.#firstEdge = new Int32Array(length + 1);
    this.#edges = this.#findEdges(seeds);
    this.#best = new Float64Array(length + 1);
    this.#bestPiece = new Int32Array(length + 1);
    this.#forward = new Float64Array(length + 1);
    this.#backward = new Float64Array(length + 1);
  }

  get numPieces(): number {
    return this.#lengths.length;
  }

  /** Number of symbols of a piece. */
  pieceLength(piece: number): number {
    return this.#lengths[piece]!;
  }

  /** The characters of a piece. */
  pieceText(piece: number): string {
    const { alphabet, symbols } = this.#text;
    const at = this.#places[piece]!;
    if (at < 0) return alphabet[piece]!; // a character that was asked for and does not occur
    return Array.from(symbols.subarray(at, at + this.#lengths[piece]!), (symbol) => alphabet[symbol - 1]!).join("");
  }

  /** Keeps the pieces that `keep` marks; they are renumbered in order. */
  retain(keep: Uint8Array): void {
    const renumbered = new Int32Array(keep.length).fill(-1);
    let numKept = 0;
    for (let piece = 0; piece < keep.length; piece++) if (keep[piece]) renumbered[piece] = numKept++;
    this.#lengths = this.#lengths.filter((_, piece) => keep[piece]);
    this.#places = this.#places.filter((_, piece) => keep[piece]);
    const edges = this.#edges;
    const firstEdge = this.#firstEdge;
    let write = 0;
    let edge = 0;
    for (let at = 0; at + 1 < firstEdge.length; at++) {
      const end = firstEdge[at + 1]!;
      firstEdge[at] = write;
      for (; edge < end; edge++) {
        const piece = renumbered[edges[edge]!]!;
        if (piece >= 0) edges[write++] = piece;
      }
    }
    firstEdge[firstEdge.length - 1] = write;
  }

  /**
   * Expected occurrences of each piece over all segmentations, weighted by their probability (E step). Sums are kept
   * relative to the best way to each position, which keeps them between 1 and the number of ways.
   */
  expectedCounts(logProbs: Float64Array): Float64Array {
    const expected = new Float64Array(this.numPieces);
    const { ends, weights } = this.#text;
    const [forward, backward, edges, firstEdge] = [this.#forward, this.#backward, this.#edges, this.#firstEdge];
    const lengths = this.#lengths;
    for (let start = 0; start < ends.length; start = ends[start]!) {
      const end = ends[start]!;
      this.#findBest(start, end, logProbs, -1);
      forward.fill(0, start, end + 1);
      forward[start] = 1;
      for (let at = start; at < end; at++) {
        const sum = forward[at]!;
        for (let edge = firstEdge[at]!; edge < firstEdge[at + 1]!; edge++) {
          forward[at + lengths[edges[edge]!]!]! += sum * this.#relative(at, edges[edge]!, logProbs);
        }
      }
      backward[end] = weights[start]! / forward[end]!;
      for (let at = end - 1; at >= start; at--) {
        let sum = 0;
        for (let edge = firstEdge[at]!; edge < firstEdge[at + 1]!; edge++) {
          const piece = edges[edge]!;
          const ways = this.#relative(at, piece, logProbs) * backward[at + lengths[piece]!]!;
          sum += ways;
          expected[piece]! += forward[at]! * ways;
        }
        backward[at] = sum;
      }
    }
    return expected;
  }

  /** Occurrences of each piece in the best segmentations, weighted by the words' counts. */
  bestCounts(logProbs: Float64Array): Float64Array {
    const counts = new Float64Array(this.numPieces);
    const { ends, weights } = this.#text;
    for (let start = 0; start < ends.length; start = ends[start]!) {
      this.#findBest(start, ends[start]!, logProbs, -1);
      for (let at = ends[start]!; at > start; ) {
        const piece = this.#bestPiece[at]!;
        counts[piece]! += weights[start]!;
        at -= this.#lengths[piece]!;
      }
    }
    return counts;
  }

  /** The best pieces that make up the text of `piece` without it, last first; they need not be as likely as it. */
  alternative(piece: number, logProbs: Float64Array): number[] {
    const start = this.#places[piece]!;
    const end = start + this.#lengths[piece]!;
    this.#findBest(start, end, logProbs, piece);
    const pieces: number[] = [];
    for (let at = end; at > start; at -= this.#lengths[pieces.at(-1)!]!) pieces.push(this.#bestPiece[at]!);
    return pieces;
  }

  /** Probability of the best way to `at` and then `piece`, relative to the best way to where that ends. */
  #relative(at: number, piece: number, logProbs: Float64Array): number {
    return Math.exp(this.#best[at]! + logProbs[piece]! - this.#best[at + this.#lengths[piece]!]!);
  }

  /** Viterbi over `[start, end)`, without the piece `excluded`. */
  #findBest(start: number, end: number, logProbs: Float64Array, excluded: number): void {
    const [best, bestPiece, edges, firstEdge, lengths] = [
      this.#best,
      this.#bestPiece,
      this.#edges,
      this.#firstEdge,
      this.#lengths,
    ];
    best.fill(Number.NEGATIVE_INFINITY, start, end + 1);
    best[start] = 0;
    for (let at = start; at < end; at++) {
      for (let edge = firstEdge[at]!; edge < firstEdge[at + 1]!; edge++) {
        const piece = edges[edge]!;
        const to = at + lengths[piece]!;
        if (to > end || piece === excluded) continue;
        const score = best[at]! + logProbs[piece]!;
        if (score <= best[to]!) continue;
        best[to] = score;
        bestPiece[to] = piece;
      }
    }
  }

  #findEdges({ order, first, last }: Seeds): Int32Array {
    const { symbols, alphabet } = this.#text;
    const firstEdge = this.#firstEdge;
    firstEdge.fill(1, 1); // each position has its character
    for (let seed = 0; seed < first.length; seed++) {
      for (let i = first[seed]!; i <= last[seed]!; i++) firstEdge[order[i]! + 1]!++;
    }
    const numEdges = firstEdge.reduce((sum, count) => sum + count, 0);
    if (numEdges > maxEdges) {
      throw new CapacityError(
        `Unigram training: the texts hold ${numEdges} pieces in all places, and ${maxEdges} is the most; give fewer texts`,
      );
    }
    for (let at = 0; at < symbols.length; at++) firstEdge[at + 1]! += firstEdge[at]!;
    const edges = new Int32Array(firstEdge[symbols.length]!);
    const filled = firstEdge.slice();
    for (let at = 0; at < symbols.length; at++) {
      const piece = symbols[at]! - 1;
      edges[filled[at]!++] = piece;
      if (this.#places[piece]! < 0) this.#places[piece] = at;
    }
    for (let seed = 0; seed < first.length; seed++) {
      const piece = alphabet.length + seed;
      this.#places[piece] = order[first[seed]!]!;
      for (let i = first[seed]!; i <= last[seed]!; i++) edges[filled[order[i]!]!++] = piece;
    }
    return edges;
  }
}
