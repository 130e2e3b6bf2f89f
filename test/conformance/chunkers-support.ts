/** @file Random texts that meet in ways no document shows, counters that do and do not add up, and what chunks of them must be. */
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import { deriveSeed, Rng } from "../../src/base/rng.js";
import type { Chunk, ChunkOptions, EmbedTexts, TokenCounter } from "../../src/chunk/index.js";

/** Texts for each property; TESSERA_RANDOM_TEXTS sets another number. */
const NUM_TEXTS = Number(process.env.TESSERA_RANDOM_TEXTS ?? 120);
/** Other texts for each shard: the whole test is 100,000 texts, in shards that fit in memory. */
const SHARD = Number(process.env.TESSERA_RANDOM_SHARD ?? 0);
/** One text in so many is longer than any buffer, so that a stream has to decide before it has seen the end. */
const LONG_EVERY = Math.max(50, NUM_TEXTS / 200);
const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

/** Fragments that meet in ways no document shows: scripts, clusters, broken surrogates, white space, Markdown. */
const FRAGMENTS = [
  ..."a|b|Z|7|,|.|!|?|:|;|-|(|)|\"|'|_|*|`|#|>|<|\\||=|~".split("|"),
  ..."word|Sentence.|Dr. No|e.g. this|3.14|https://a.example/b?c=d|don't|foo_bar|ÀÉÎ|naïve|Straße|Привет.|Ὀδυσσεύς".split(
    "|",
  ),
  ..."你好。|世界！|“引号。”|（括号）|、|，|東京|カタカナ|ガ|が|한국어|각|ไทย|สวัสดี|नमस्ते|क्षि|हिन्दी।|مرحبا؟|שלום".split(
    "|",
  ),
  ..."👍|👍🏽|👨‍👩‍👧‍👦|🏳️‍🌈|🇩🇪|🇫🇷🇯🇵|e\u0301|a\u0300\u0301\u0302|\u0301|\u200d|\ufe0f|\u0600|\u{110bd}|𠀀|𝒳|\ud83d|\udc4d|\ufffd|\u0000".split(
    "|",
  ),
  ...[
    " ",
    " ",
    " ",
    "  ",
    "\t",
    "\n",
    "\n",
    "\n",
    "\n\n",
    "\r\n",
    "\r\n\r\n",
    "\r",
    "\u00a0",
    "\u3000",
    "\ufeff",
    "\u2028",
    "\u200b",
  ],
  ..."\n# Title\n|\n## Sub ##\n|\n###### deep\n|\n#not\n|\nSetext\n===\n|\nOther\n---\n|\n***\n|\n<h2>Html</h2>\n".split(
    "|",
  ),
  ..."\n- item\n|\n  - nested\n|\n* star\n|\n1. one\n|\n2) two\n|\n- \n|\n    code\n|\n\tcode\n|\n> quote\n|\n>\n|\n> - x\n".split(
    "|",
  ),
  ..."\n```js\n|\n```\n|\n~~~~\n|\n~~~\n|\n  ```\n|\n- ```\n|\n<!--|-->|\n<!-- c -->\n|\n<div>\n|\n<pre>\n|</pre>|---\n|+++\n".split(
    "|",
  ),
  "\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n",
  "---\ntitle: x\n---\n",
  ..."<p>|</p>|<h2 id=x>|</h2>|<li>|<td>|<br/>|<script>|</script>|<a href='x'>|&amp;|</|<!doctype html>|<svg><path/>".split(
    "|",
  ),
  ..."\nclass A {\n|\n}\n|function f() {|def f(x):\n|    return 1\n|// note\n|/* a|*/|# note\n|@dec\n|const a = () => {|`${|`;|{{{|)))".split(
    "|",
  ),
  ...'a,b,c\n|"x, y"|"open|,,|\r\n1;2;3\r\n|\t1\t2'.split("|"),
  ..."\ud800|\udfff\ud800|\u0301\u200d|\u1100\u1161\u11a8|\u0e33|🏴\u{e0067}\u{e007f}".split("|"),
  " ".repeat(100),
  "\n".repeat(50),
  "x".repeat(300),
  "漢".repeat(200),
  "word ".repeat(60),
];

function randomText(rng: Rng, maxFragments: number): string {
  // a few fragments per text make runs and repetitions likely
  const palette = Array.from({ length: 1 + rng.below(20) }, () => FRAGMENTS[rng.below(FRAGMENTS.length)]!);
  let text = "";
  const length = rng.below(maxFragments);
  for (let i = 0; i < length; i++) text += rng.below(3) === 0 ? " " : palette[rng.below(palette.length)];
  return text;
}

function countOf(count: (text: string) => number): TokenCounter["count"] {
  return (text, start = 0, end = text.length) => count(text.slice(start, end));
}

const isSpaceAt = (text: string, index: number): boolean => /\s/.test(text.charAt(index));
const isLetterAt = (text: string, index: number): boolean => /[\p{L}\p{M}]/u.test(text.charAt(index));
const PRETOKENS =
  /[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}{1,3}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu;
const hash = (text: string): number =>
  [...text].reduce((sum, c) => Math.imul(sum ^ c.charCodeAt(0), 0x01000193), 7) >>> 0;

export const counters: Record<string, TokenCounter> = {
  "code units, which add up everywhere": { count: countOf((text) => text.length), addsUpAt: () => true },
  "words, which add up at white space": {
    count: countOf((text) => text.match(/\S+/g)?.length ?? 0),
    addsUpAt: (text, index) => isSpaceAt(text, index) || isSpaceAt(text, index - 1),
  },
  "pretokens that reach over line breaks, which add up between a letter and white space": {
    count: countOf((text) =>
      (text.match(PRETOKENS) ?? []).reduce((sum, token) => sum + Math.ceil(token.length / 3), 0),
    ),
    addsUpAt: (text, index) => isLetterAt(text, index - 1) && isSpaceAt(text, index),
  },
  "the same, without saying where they add up": {
    count: countOf((text) =>
      (text.match(PRETOKENS) ?? []).reduce((sum, token) => sum + Math.ceil(token.length / 3), 0),
    ),
  },
  "more than the sum of the parts": { count: countOf((text) => Math.ceil(text.length ** 1.15)) },
  "a number that depends on every character": {
    count: countOf((text) => Math.ceil((text.length * (2 + (hash(text) % 3))) / 2)),
  },
  nothing: { count: () => 0 },
};

/** A text, how it is to be cut, and a source of further chance. */
export interface Case {
  readonly text: string;
  readonly options: ChunkOptions;
  readonly rng: Rng;
}

export function* cases(seed: number, share = 1): Generator<Case> {
  const rng = new Rng(deriveSeed(SHARD, `${seed}`));
  const all = Object.values(counters);
  for (let i = 0; i < NUM_TEXTS * share; i++) {
    const maxTokens = [8, 16, 40, 200][rng.below(4)]!;
    const overlapTokens = rng.below(2) === 0 ? 0 : rng.below(maxTokens >> 1);
    const text = randomText(rng, i % LONG_EVERY < 1 ? 3000 : 120);
    yield { text, options: { counter: all[i % all.length]!, maxTokens, overlapTokens }, rng };
  }
}

/** A text as a stream of pieces cut anywhere, in the middle of pairs too. */
export async function* inPieces(text: string, rng: Rng): AsyncGenerator<string> {
  const largest = [1, 3, 50, 5000][rng.below(4)]!;
  for (let at = 0; at < text.length; ) {
    const next = at + rng.below(largest + 1);
    yield text.slice(at, next);
    at = next;
  }
}

/** Starts of clusters. A segmenter takes time by the whole of its text for each of them, so it gets windows of it. */
export function* clusters(text: string): Generator<number> {
  let size = 256;
  for (let from = 0; from < text.length; ) {
    const end = from + size + (text.codePointAt(from + size - 1)! > 0xffff ? 1 : 0);
    const starts = Array.from(segmenter.segment(text.slice(from, end)), ({ index }) => from + index);
    // the window may have cut its last cluster; where a cluster ends depends on nothing before it
    const next = end < text.length ? starts.pop()! : text.length;
    yield* starts;
    if (next === from) size *= 2;
    from = next;
  }
}

/** Places between clusters as ones, `text.length` included: once a text, since every chunker gets the same texts. */
const clusterStarts = new Map<string, Uint8Array>();

function clusterStartsOf(text: string): Uint8Array {
  let starts = clusterStarts.get(text);
  if (starts === undefined) {
    starts = new Uint8Array(text.length + 1);
    starts[text.length] = 1;
    for (const index of clusters(text)) starts[index] = 1;
    clusterStarts.set(text, starts);
  }
  return starts;
}

/** Whether a chunk may begin or end at `index`: between clusters, or between characters of one larger than a chunk. */
function isBoundary(text: string, index: number, { counter, maxTokens }: ChunkOptions): boolean {
  const starts = clusterStartsOf(text);
  if (starts[index] === 1) return true;
  const isInPair = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(index - 1, index + 1));
  return !isInPair && counter.count(text.slice(starts.lastIndexOf(1, index), starts.indexOf(1, index))) > maxTokens;
}

function parentFaultsOf(text: string, { start, end, parent }: Chunk): string[] {
  if (parent === undefined) return [];
  const faults: string[] = [];
  if (parent.start < 0 || parent.start > start || parent.end < end || parent.end > text.length) {
    faults.push("outside of its parent");
  }
  return faults;
}

/** What is wrong with the chunk that follows `previous`, where chunks before it reach to `covered`; empty if nothing. */
function faultsOf(
  text: string,
  chunk: Chunk,
  previous: Chunk | undefined,
  covered: number,
  options: ChunkOptions,
): string[] {
  const { start, end } = chunk;
  const numTokens = options.counter.count(chunk.text);
  const faults: string[] = [];
  if (start <= (previous?.start ?? -1) || end <= (previous?.end ?? 0) || end > text.length) faults.push("out of order");
  if (chunk.text !== text.slice(start, end)) faults.push("not its slice");
  if (chunk.text.trim() === "") faults.push("white space");
  if (chunk.numTokens !== numTokens) faults.push(`says ${chunk.numTokens} tokens, not ${numTokens}`);
  if (numTokens > options.maxTokens) faults.push(`${numTokens} tokens`);
  if (!isBoundary(text, start, options) || !isBoundary(text, end, options)) faults.push("cuts a cluster");
  faults.push(...parentFaultsOf(text, chunk));
  if (start > covered && text.slice(covered, start).trim() !== "") faults.push("leaves text out before it");
  return faults;
}

/** Throws unless chunks are in order, exact and within the limit, cut no cluster, and leave out white space only. */
export function check(text: string, chunks: readonly Chunk[], options: ChunkOptions): void {
  let covered = 0;
  let previous: Chunk | undefined;
  for (const chunk of chunks) {
    const { start, end } = chunk;
    const faults = faultsOf(text, chunk, previous, covered, options);
    if (faults.length > 0) throw new Error(`[${start}, ${end}) of ${JSON.stringify(text)}: ${faults.join(", ")}`);
    covered = Math.max(covered, end);
    previous = chunk;
  }
  if (text.slice(covered).trim() !== "") throw new Error(`[${covered}, end) of ${JSON.stringify(text)}: left out`);
}

/** Throws unless two ways gave the same chunks. `expect(…).toEqual` alone takes longer than the chunkers. */
export function checkSame(actual: readonly Chunk[], expected: readonly Chunk[]): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

/** Throws if a chunk repeats more than `overlapTokens` of the one before; the counter counts code units. */
export function checkRepeated(chunks: readonly Chunk[], { overlapTokens = 0 }: ChunkOptions): void {
  for (let i = 1; i < chunks.length; i++) {
    const repeated = chunks[i - 1]!.end - chunks[i]!.start;
    if (repeated > overlapTokens) throw new Error(`chunk ${i} repeats ${repeated} tokens, more than ${overlapTokens}`);
  }
}

/** Vectors that depend on the words of a text alone: sums of what each word hashes to. */
export const embed: EmbedTexts = async (texts) =>
  texts.map((text) => {
    const sum = new Float32Array(8);
    for (const word of text.split(/\s+/)) {
      const rng = new Rng(hash(word));
      for (let i = 0; i < sum.length; i++) sum[i]! += rng.below(2001) / 1000 - 1;
    }
    const length = Math.hypot(...sum) || 1;
    return sum.map((value) => value / length);
  });
