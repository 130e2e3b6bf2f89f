/** @file Which pieces of SentencePiece's BPE merge: any two whose joined text is a piece, the best score first. */

import { PairTable } from "./pair-table.js";

/**
 * @param pieces what may come of a text: ids by text.
 * @param scores by id; equal scores have equal rank, so that the leftmost pair merges first.
 * @param numIds one more than the largest id: a character that is no piece is the symbol of that plus its code point.
 */
export function scorePairs(pieces: ReadonlyMap<string, number>, scores: readonly number[], numIds: number): PairTable {
  const byScore = [...new Set(scores)].sort((a, b) => b - a);
  const ranks = new Map(byScore.map((score, rank) => [score, rank]));
  const pairs = new PairTable(pieces.size * 2);
  const symbolOf = (text: string): number | undefined =>
    pieces.get(text) ?? (isCharacter(text) ? numIds + text.codePointAt(0)! : undefined);
  for (const [text, id] of pieces) {
    for (let i = 1; i < text.length; i++) {
      if (isBetweenSurrogates(text, i)) continue;
      const left = symbolOf(text.slice(0, i));
      const right = left === undefined ? undefined : symbolOf(text.slice(i));
      if (left !== undefined && right !== undefined) pairs.set(left, right, ranks.get(scores[id]!)!, id);
    }
  }
  return pairs;
}

function isCharacter(text: string): boolean {
  return text.length === 1 || (text.length === 2 && text.codePointAt(0)! > 0xffff);
}

function isBetweenSurrogates(text: string, index: number): boolean {
  return text.codePointAt(index - 1)! > 0xffff;
}
