/** @file The splitters of LangChain.js and LlamaIndexTS as functions from a text to stretches of it. */

import { MarkdownTextSplitter, RecursiveCharacterTextSplitter } from "@langchain/textsplitters";
import { TokenTextSplitter as LlamaTokenSplitter, SentenceSplitter } from "@llamaindex/core/node-parser";
import type { Span, TokenCounter } from "../../src/chunk/index.js";

export interface Sizes {
  readonly maxTokens: number;
  readonly overlapTokens: number;
  readonly counter: TokenCounter;
}

const PART = 10_000;

export interface Peer {
  readonly name: string;
  split(text: string, sizes: Sizes): Promise<string[]>;
}

const langchain = ({ maxTokens, overlapTokens, counter }: Sizes) => ({
  chunkSize: maxTokens,
  chunkOverlap: overlapTokens,
  lengthFunction: (text: string) => counter.count(text),
});

/** LlamaIndexTS asks a tokenizer for ids and uses how many there are. */
const llamaIndex = ({ maxTokens, overlapTokens, counter }: Sizes) => ({
  chunkSize: maxTokens,
  chunkOverlap: overlapTokens,
  tokenizer: { encode: (text: string) => new Uint32Array(counter.count(text)), decode: () => "" },
});

/** Parts of a text that end at line breaks: LlamaIndexTS's time grows with the square of a text's length. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const lineEnd = text.indexOf("\n", at + PART);
    const end = lineEnd < 0 ? text.length : lineEnd + 1;
    parts.push(text.slice(at, end));
    at = end;
  }
  return parts;
}

/** LangChain.js's TokenTextSplitter is not among them: it downloads its vocabulary from a host of its own on each start. */
export const peers: readonly Peer[] = [
  {
    name: "LangChain.js recursive",
    split: (text, sizes) => new RecursiveCharacterTextSplitter(langchain(sizes)).splitText(text),
  },
  {
    name: "LangChain.js Markdown",
    split: (text, sizes) => new MarkdownTextSplitter(langchain(sizes)).splitText(text),
  },
  {
    name: "LlamaIndexTS sentence",
    split: async (text, sizes) => {
      const splitter = new SentenceSplitter(llamaIndex(sizes));
      return partsOf(text).flatMap((part) => splitter.splitText(part));
    },
  },
  {
    name: "LlamaIndexTS token",
    split: async (text, sizes) => new LlamaTokenSplitter(llamaIndex(sizes)).splitText(text),
  },
];

/**
 * Where pieces stand in a text, which peers do not say: the next place with the same characters, white space aside, since
 * some of them change it, that begins or ends behind the last one; a piece may begin where the one before does.
 * @returns as many spans as pieces; undefined for a piece that is not there.
 */
export function locate(text: string, pieces: readonly string[]): (Span | undefined)[] {
  const places: number[] = [];
  let bare = "";
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (/[\s\ufffd]/.test(character)) continue;
    places.push(i);
    bare += character;
  }
  let [from, reached] = [0, 0];
  return pieces.map((piece) => {
    const own = piece.replace(/[\s\ufffd]+/g, "");
    const first = bare.indexOf(own, from);
    const at = first === from && first + own.length <= reached ? bare.indexOf(own, from + 1) : first;
    if (own === "" || at < 0) return undefined;
    [from, reached] = [at, at + own.length];
    return { start: places[at]!, end: places[at + own.length - 1]! + 1 };
  });
}
