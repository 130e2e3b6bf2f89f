/** @file Tokens that are found in a text as they stand, before anything else cuts it up. */

import { Trie } from "./algorithms/trie.js";

/** A token beside those that the algorithm makes. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** A mark for the model: found in a text only on request, and left out when decoding. */
  readonly isSpecial: boolean;
  /** Found in the normalised text, not in the raw one. */
  readonly isNormalized: boolean;
  /** Only where neither neighbour is part of a word. */
  readonly isSingleWord: boolean;
  /** Takes the white space before it. */
  readonly stripsLeft: boolean;
  /** Takes the white space after it. */
  readonly stripsRight: boolean;
}

type TokenVisitor = (token: AddedToken, start: number, end: number) => boolean;
type GapVisitor = (start: number, end: number) => boolean;

const wordEnd = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const wordStart = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Finds tokens in a text: leftmost first, longest among those that begin together. */
export class TokenMatcher {
  readonly #tokens: readonly AddedToken[];
  readonly #words: Trie;
  /** By code unit: whether a token begins with it. */
  readonly #begins = new Uint8Array(0x10000);
  /** Pairs of neighbours inside tokens. */
  readonly #pairs: ReadonlySet<string>;
  readonly #looksAround: boolean;

  /** @param contents what to look for, with the token that each stands for; not empty. */
  constructor(contents: readonly (readonly [content: string, token: AddedToken])[]) {
    this.#tokens = contents.map(([, token]) => token);
    this.#words = new Trie(contents.map(([content], i) => [content, i]));
    for (const [content] of contents) this.#begins[content.charCodeAt(0)] = 1;
    this.#pairs = new Set(contents.flatMap(([s]) => Array.from(s.slice(1), (_, i) => pairAt(s, i + 1))));
    this.#looksAround = contents.some(([, token]) => !token.isSpecial && looksAround(token));
  }

  /** Whether cutting a text at `index` may change which tokens are found in it. */
  mayCross(text: string, index: number): boolean {
    return this.#looksAround || this.#pairs.has(pairAt(text, index));
  }

  /**
   * Visits the tokens in `text[start, end)` and the gaps between them, in order, until a visitor returns false.
   * @param specialTokens whether special tokens are tokens here, or text.
   */
  scan(
    text: string,
    start: number,
    end: number,
    specialTokens: boolean,
    visitGap: GapVisitor,
    visitToken: TokenVisitor,
  ): boolean {
    const stretch = start === 0 && end === text.length ? text : text.slice(start, end);
    let last = 0;
    for (let at = 0; at < stretch.length; at++) {
      if (this.#begins[stretch.charCodeAt(at)] === 0) continue;
      const { length, value } = this.#words.longest(stretch, at, stretch.length);
      if (length === 0) continue;
      const [matchStart, matchEnd] = [at, at + length];
      const token = this.#tokens[value]!;
      at = matchEnd - 1; // a match that does not count hides others in it, too
      if (token.isSpecial && !specialTokens) continue;
      if (token.isSingleWord && touchesWord(stretch, matchStart, matchEnd)) continue;
      // white space that one token takes may hold the next, which counts all the same, and ends what was taken
      const from = token.stripsLeft ? spaceStart(stretch, matchStart, last) : matchStart;
      const to = token.stripsRight ? spaceEnd(stretch, matchEnd) : matchEnd;
      if (from > last && !visitGap(start + last, start + from)) return false;
      if (!visitToken(token, start + from, start + to)) return false;
      last = to;
    }
    return last === stretch.length || visitGap(start + last, end);
  }
}

/** The neighbours at `index`, the second without the marks that a normaliser may join to it. */
function pairAt(text: string, index: number): string {
  return text.charAt(index - 1) + text.charAt(index).normalize("NFD").charAt(0);
}

function looksAround({ isSingleWord, stripsLeft, stripsRight }: AddedToken): boolean {
  return isSingleWord || stripsLeft || stripsRight;
}

function touchesWord(text: string, start: number, end: number): boolean {
  return wordEnd.test(text.slice(Math.max(0, start - 2), start)) || wordStart.test(text.slice(end, end + 2));
}

function spaceStart(text: string, before: number, lowest: number): number {
  let at = before;
  while (at > lowest && /\p{White_Space}/u.test(text[at - 1]!)) at--;
  return at;
}

function spaceEnd(text: string, after: number): number {
  let at = after;
  while (at < text.length && /\p{White_Space}/u.test(text[at]!)) at++;
  return at;
}
