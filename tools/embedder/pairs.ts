/** @file Pairs of query and passage out of the structure of documents: what is asked, and what answers it. */

import type { Rng } from "../../src/base/rng.js";
import type { Passages } from "./passages.js";

export interface Pair {
  readonly query: Uint16Array;
  readonly passage: Uint16Array;
}

/** How questions begin that the texts answer and do not ask. Their tokens are to learn that they say nothing. */
export interface QuestionWords {
  readonly en: readonly Uint16Array[];
  readonly zh: readonly Uint16Array[];
}

export const questionWords = {
  en: (
    "what is|what are|what was the|what did|what does|which|which of the|who|who was|when did|when was|where is|where did|" +
    "how|how do I|how to|how can I|how does|how many|how much|why|why is|why did|can I|is there|in what|what kind of|tell me about"
  ).split("|"),
  zh: "什么是|什么|如何|怎么|怎样|为什么|哪个|哪些|谁|何时|在哪里|是什么|有哪些|多少|能不能".split("|"),
} as const;

/** Shares of the kinds of queries. */
const KINDS = { span: 0.3, words: 0.15, sentence: 0.25, heading: 0.2, neighbour: 0.1 } as const;
/** Documents in which a heading may occur and still say by itself what its section is about. */
const TELLING = 2;
/** Chance that what the query was taken from leaves the passage: matching must not be copying alone. */
const REMOVED = 0.6;
const QUESTION = 0.3;

/** Draws pairs; `rng` decides all. */
export class PairSampler {
  constructor(
    private readonly passages: Passages,
    private readonly questions: QuestionWords,
    private readonly rng: Rng,
  ) {}

  /** A pair of passage `p`; undefined where the kind drawn is not to be had of it. */
  pair(p: number): Pair | undefined {
    const drawn = this.#draw(p);
    if (!drawn || drawn.query.length === 0 || drawn.passage.length < 8) return undefined;
    if (this.rng.uniform() >= QUESTION) return drawn;
    const { en, zh } = this.questions;
    const words = this.passages.isChinese[this.passages.documents[p]!] ? zh : en;
    return { ...drawn, query: joined(words[this.rng.below(words.length)]!, drawn.query) };
  }

  #draw(p: number): Pair | undefined {
    const at = this.rng.uniform();
    const { span, words, sentence, heading } = KINDS;
    if (at < span) return this.#span(p);
    if (at < span + words) return this.#words(p);
    if (at < span + words + sentence) return this.#sentence(p);
    if (at < span + words + sentence + heading) return this.#heading(p);
    return this.#neighbour(p);
  }

  /** A run of 3 to 14 words; what is around it, or all. */
  #span(p: number): Pair | undefined {
    const [start, end] = this.#body(p);
    if (end - start < 12) return undefined;
    const { beginsWord, tokens } = this.passages;
    let from = start + this.rng.below(end - start - 4);
    while (from > start && !beginsWord[from]) from--;
    let [to, left] = [from + 1, 3 + this.rng.below(12)];
    while (to < end && (!beginsWord[to] || --left > 0)) to++;
    return this.#around(p, from, to, tokens.slice(from, to));
  }

  /** Words drawn from all over the passage, which keeps them or not: what a query of keywords is. */
  #words(p: number): Pair | undefined {
    const { beginsWord, tokens } = this.passages;
    const [start, end] = this.#body(p);
    if (end - start < 24) return undefined;
    const center = start + this.rng.below(end - start);
    const [low, high] = [Math.max(start, center - 24), Math.min(end, center + 24)];
    const share = 0.15 + 0.35 * this.rng.uniform();
    const query: number[] = [];
    let isTaken = false;
    for (let i = low; i < high; i++) {
      if (beginsWord[i]) isTaken = this.rng.uniform() < share;
      if (isTaken) query.push(tokens[i]!);
    }
    return { query: Uint16Array.from(query), passage: this.#whole(p) };
  }

  #sentence(p: number): Pair | undefined {
    const { sentenceStarts, numHeadings, sentences, tokens } = this.passages;
    const first = sentenceStarts[p]! + numHeadings[p]!;
    const last = sentenceStarts[p + 1]!;
    if (last - first < 2) return undefined;
    const s = first + this.rng.below(last - first);
    const from = sentences[s]!;
    const to = s + 1 < last ? sentences[s + 1]! : this.passages.tokenStarts[p + 1]!;
    if (to - from < 4 || to - from > 48) return undefined;
    return this.#around(p, from, to, tokens.slice(from, to));
  }

  /** Headings above the passage; a common one only with the title before it. The passage mostly without its own heading. */
  #heading(p: number): Pair | undefined {
    const { headings, headingCounts, paths, titles, documents } = this.passages;
    const path = paths[p]!;
    const own = path.at(-1);
    const title = titles[documents[p]!]!;
    const isTelling = own !== undefined && own !== title && headingCounts[own]! <= TELLING;
    if (own === undefined || (own === title && headingCounts[title]! > TELLING)) return undefined;
    const isAlone = own === title || (isTelling && this.rng.uniform() < 0.6);
    const query = isAlone ? headings[own]! : joined(headings[title]!, headings[own]!);
    const [start, end] = this.rng.uniform() < 0.7 ? this.#body(p) : this.#all(p);
    return { query, passage: this.passages.tokens.slice(start, end) };
  }

  /** The first sentence of a passage, and the passage before it in the same section. */
  #neighbour(p: number): Pair | undefined {
    const { documents, paths, sentences, sentenceStarts, numHeadings, tokens } = this.passages;
    if (documents[p + 1] !== documents[p] || `${paths[p]}` !== `${paths[p + 1]}`) return undefined;
    const s = sentenceStarts[p + 1]! + numHeadings[p + 1]!;
    if (s + 1 >= sentenceStarts[p + 2]!) return undefined;
    return {
      query: tokens.slice(sentences[s]!, Math.min(sentences[s + 1]!, sentences[s]! + 48)),
      passage: this.#whole(p),
    };
  }

  /** Tokens without leading headings. */
  #body(p: number): [number, number] {
    const { sentences, sentenceStarts, numHeadings, tokenStarts } = this.passages;
    const s = sentenceStarts[p]! + numHeadings[p]!;
    const end = tokenStarts[p + 1]!;
    return [s < sentenceStarts[p + 1]! ? sentences[s]! : end, end];
  }

  #all(p: number): [number, number] {
    return [this.passages.tokenStarts[p]!, this.passages.tokenStarts[p + 1]!];
  }

  #whole(p: number): Uint16Array {
    return this.passages.tokens.slice(...this.#all(p));
  }

  #around(p: number, from: number, to: number, query: Uint16Array): Pair {
    const [start, end] = this.#all(p);
    if (this.rng.uniform() >= REMOVED) return { query, passage: this.passages.tokens.slice(start, end) };
    return { query, passage: joined(this.passages.tokens.slice(start, from), this.passages.tokens.slice(to, end)) };
  }
}

function joined(a: Uint16Array, b: Uint16Array): Uint16Array {
  const out = new Uint16Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
