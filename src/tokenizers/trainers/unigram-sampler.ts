/** @file Segments text by a Unigram model: the best way, the n best, or one drawn at random (Kudo 2018, arXiv:1804.10959, section 3.3). */

import { ConfigError } from "../../base/errors.js";
import type { Rng } from "../../base/rng.js";
import { root, Trie } from "../algorithms/trie.js";
import { codePointAt, utf16Width } from "../algorithms/utf8.js";

/** How much less likely an unknown character is than the rarest piece: as in SentencePiece. */
const unknownPenalty = 10;

export interface Segmentation {
  /** Pieces by their number; -1 for a character without one. */
  readonly pieces: readonly number[];
  /** Where each piece ends in the text. */
  readonly ends: readonly number[];
  /** Sum of the pieces' scores. */
  readonly score: number;
}

export interface UnigramSampling {
  readonly rng: Rng;
  /** Power to which probabilities are raised: 0 draws evenly, 1 from the model, more favours the best. */
  readonly alpha: number;
  /** Draws among so many best segmentations. Default: among all, by forward filtering and backward sampling. */
  readonly nBest?: number;
}

/** A way to a place: its last edge, and which way to that edge's start. */
interface Way {
  readonly score: number;
  readonly edge: Edge | undefined;
  readonly before: Way | undefined;
}

interface Edge {
  readonly start: number;
  readonly end: number;
  readonly piece: number;
  readonly score: number;
}

export class UnigramSampler {
  readonly #trie: Trie;
  readonly #scores: readonly number[];
  readonly #unknownScore: number;

  /** @param pieces that text can become; others (special tokens, bytes) are undefined. */
  constructor(pieces: readonly ({ readonly text: string; readonly score: number } | undefined)[]) {
    this.#trie = new Trie(pieces.flatMap((piece, i) => (piece ? [[piece.text, i] as const] : [])));
    this.#scores = pieces.map((piece) => piece?.score ?? 0);
    const lowest = pieces.reduce((least, piece) => Math.min(least, piece?.score ?? 0), 0);
    this.#unknownScore = lowest - unknownPenalty;
  }

  /** The most likely segmentation (Viterbi). */
  best(text: string): Segmentation {
    return this.nBest(text, 1)[0]!;
  }

  /** At most `n` segmentations, the most likely first; exact. O(n log n) per edge. */
  nBest(text: string, n: number): Segmentation[] {
    if (!(Number.isInteger(n) && n >= 1))
      throw new ConfigError(`Unigram: nBest must be an integer from 1 on, got ${n}`);
    const ways: Way[][] = [[{ score: 0, edge: undefined, before: undefined }]];
    for (const [end, edges] of this.#edgesByEnd(text).entries()) {
      if (end === 0) continue;
      const found = edges.flatMap((edge) =>
        ways[edge.start]!.map((before) => ({ score: before.score + edge.score, edge, before })),
      );
      ways[end] = found.sort((a, b) => b.score - a.score).slice(0, n);
    }
    return ways[text.length]!.map(segmentation);
  }

  /** @throws ConfigError when alpha is negative. */
  sample(text: string, { rng, alpha, nBest }: UnigramSampling): Segmentation {
    if (!(alpha >= 0)) throw new ConfigError(`Unigram sampling: alpha must be 0 or more, got ${alpha}`);
    if (nBest === undefined) return this.#sampleBackward(text, rng, alpha);
    const candidates = this.nBest(text, nBest);
    return candidates[
      draw(
        rng,
        candidates.map(({ score }) => alpha * score),
      )
    ]!;
  }

  #sampleBackward(text: string, rng: Rng, alpha: number): Segmentation {
    const edges = this.#edgesByEnd(text);
    const sums: number[] = [0];
    const weights = (end: number): number[] => edges[end]!.map(({ start, score }) => sums[start]! + alpha * score);
    for (let end = 1; end <= text.length; end++) sums[end] = logSum(weights(end));
    const chosen: Edge[] = [];
    for (let at = text.length; at > 0; at = chosen.at(-1)!.start) chosen.push(edges[at]![draw(rng, weights(at))]!);
    return ofEdges(chosen.reverse());
  }

  /** By end: the pieces that end there. Each place can be reached; within a surrogate pair there is none. */
  #edgesByEnd(text: string): Edge[][] {
    const edges: Edge[][] = Array.from({ length: text.length + 1 }, () => []);
    for (let start = 0; start < text.length; ) {
      const next = start + utf16Width(codePointAt(text, start, text.length));
      let hasCharacter = false;
      let node = root;
      for (let at = start; at < text.length; at++) {
        const slot = this.#trie.step(node, text.charCodeAt(at));
        if (slot < 0) break;
        node = this.#trie.node(slot);
        const piece = this.#trie.value(slot);
        if (piece < 0) continue;
        edges[at + 1]!.push({ start, end: at + 1, piece, score: this.#scores[piece]! });
        hasCharacter ||= at + 1 === next;
      }
      if (!hasCharacter) edges[next]!.push({ start, end: next, piece: -1, score: this.#unknownScore });
      start = next;
    }
    return edges;
  }
}

function segmentation(way: Way): Segmentation {
  const edges: Edge[] = [];
  for (let at: Way | undefined = way; at?.edge !== undefined; at = at.before) edges.push(at.edge);
  return ofEdges(edges.reverse());
}

function ofEdges(edges: readonly Edge[]): Segmentation {
  return {
    pieces: edges.map(({ piece }) => piece),
    ends: edges.map(({ end }) => end),
    score: edges.reduce((sum, { score }) => sum + score, 0),
  };
}

/** An index, with probability proportional to the exponential of its log weight. */
function draw(rng: Rng, logWeights: readonly number[]): number {
  const total = logSum(logWeights);
  let rest = rng.uniform();
  for (const [i, weight] of logWeights.entries()) {
    rest -= Math.exp(weight - total);
    if (rest < 0) return i;
  }
  return logWeights.length - 1; // rounding
}

function logSum(values: readonly number[]): number {
  const highest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (highest === Number.NEGATIVE_INFINITY) return highest;
  return highest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - highest), 0));
}
