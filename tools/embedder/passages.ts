/** @file The corpus as passages of token ids, with what pairs are made of: documents, headings, sentences, words. */

import { recursive } from "../../src/chunk/index.js";
import { sentences } from "../../src/text/index.js";
import type { Tokenizer } from "../../src/tokenizers/index.js";
import type { CorpusDocument } from "./corpus.js";

/** Flat arrays: passage p has the tokens tokenStarts[p] to tokenStarts[p + 1], and so on. */
export interface Passages {
  readonly tokens: Uint16Array;
  /** 1 where a token begins a word. */
  readonly beginsWord: Uint8Array;
  readonly tokenStarts: Uint32Array;
  /** Places in `tokens` at which sentences begin. */
  readonly sentences: Uint32Array;
  readonly sentenceStarts: Uint32Array;
  /** Sentences at the start of a passage that are headings. */
  readonly numHeadings: Uint8Array;
  /** Document of each passage. */
  readonly documents: Uint32Array;
  /** Heading path of each passage, as a place in `headings`, outermost first. */
  readonly paths: readonly (readonly number[])[];
  readonly headings: readonly Uint16Array[];
  /** Documents in which a heading occurs. */
  readonly headingCounts: Uint32Array;
  /** Title of each document, as a place in `headings`. */
  readonly titles: Uint32Array;
  readonly isChinese: Uint8Array;
}

/** Longest passage, in tokens: a paragraph or two, as an index holds them. */
const MAX_TOKENS = 160;
/** Shorter ones say too little to be found by. */
const MIN_TOKENS = 16;

export async function readPassages(documents: AsyncIterable<CorpusDocument>, tokenizer: Tokenizer): Promise<Passages> {
  const [tokens, beginsWord, tokenStarts]: [number[], number[], number[]] = [[], [], [0]];
  const [sentencePlaces, sentenceStarts, numHeadings]: [number[], number[], number[]] = [[], [0], []];
  const [owners, titles, isChinese]: [number[], number[], number[]] = [[], [], []];
  const paths: number[][] = [];
  const headings = new HeadingTable(tokenizer);
  for await (const { text, title, lang } of documents) {
    const document = titles.length;
    titles.push(headings.place(title, document));
    isChinese.push(Number(lang === "zh"));
    for (const { text: passage, headingPath } of recursive.chunk(text, { counter: tokenizer, maxTokens: MAX_TOKENS })) {
      const { ids, offsets } = tokenizer.encodeWithOffsets(passage);
      if (ids.length < MIN_TOKENS) continue;
      const base = tokens.length;
      for (let i = 0; i < ids.length; i++) {
        tokens.push(ids[i]!);
        const start = offsets[2 * i]!;
        beginsWord.push(Number(i === 0 || start > offsets[2 * i - 1]! || !isWordLike(passage, start)));
      }
      let leading = 0;
      let [count, at] = [0, 0];
      for (const { start } of sentences(passage)) {
        while (at < ids.length && offsets[2 * at]! < start) at++;
        if (leading === count && passage[start] === "#") leading++;
        sentencePlaces.push(base + at);
        count++;
      }
      tokenStarts.push(tokens.length);
      sentenceStarts.push(sentencePlaces.length);
      numHeadings.push(Math.min(leading, 255));
      owners.push(document);
      paths.push(headingPath.map((heading) => headings.place(heading, document)));
    }
  }
  return {
    tokens: Uint16Array.from(tokens),
    beginsWord: Uint8Array.from(beginsWord),
    tokenStarts: Uint32Array.from(tokenStarts),
    sentences: Uint32Array.from(sentencePlaces),
    sentenceStarts: Uint32Array.from(sentenceStarts),
    numHeadings: Uint8Array.from(numHeadings),
    documents: Uint32Array.from(owners),
    paths,
    headings: headings.tokens,
    headingCounts: Uint32Array.from(headings.counts),
    titles: Uint32Array.from(titles),
    isChinese: Uint8Array.from(isChinese),
  };
}

const isWordLike = (text: string, at: number): boolean => /^[\p{L}\p{N}]/u.test(text.slice(at, at + 2));

/** Headings, each text once. */
class HeadingTable {
  readonly tokens: Uint16Array[] = [];
  readonly counts: number[] = [];
  readonly #places = new Map<string, number>();
  readonly #lastDocuments: number[] = [];

  constructor(private readonly tokenizer: Tokenizer) {}

  place(heading: string, document: number): number {
    const known = this.#places.get(heading);
    const place = known ?? this.tokens.push(Uint16Array.from(this.tokenizer.encode(heading))) - 1;
    this.#places.set(heading, place);
    if (this.#lastDocuments[place] !== document) this.counts[place] = (this.counts[place] ?? 0) + 1;
    this.#lastDocuments[place] = document;
    return place;
  }
}
