/** @file A text with chunks over it as blocks that follow one another: every character is in one of them. */

import type { CutChunk } from "../../../../src/server/studio/wire/index.js";

/** What is drawn as one: what a chunk adds to those before it, or text that no chunk holds. */
export interface Block {
  readonly start: number;
  /** Where the chunk's text ends. */
  readonly end: number;
  /** Where the next block starts: white space between them is left to the one before, which does not draw it. */
  readonly next: number;
  /** Place of the chunk in the list; absent where no chunk holds the text. */
  readonly chunk?: number;
  /** From here to its end the next chunk repeats it. */
  readonly repeatedFrom: number;
  /** The cut is inside a line. */
  readonly endsInLine: boolean;
}

/** Blocks that are drawn, and left undrawn, together. */
export interface Leaf {
  readonly start: number;
  readonly end: number;
  readonly blocks: readonly Block[];
}

/** Enough that few are near the window, few enough to draw in a fraction of a frame. */
const BLOCKS_PER_LEAF = 16;

/** @param chunks in the order of their starts. */
export function blocksOf(text: string, chunks: readonly CutChunk[]): Block[] {
  const blocks: Block[] = [];
  let covered = 0;
  const fillTo = (place: number): void => {
    if (covered >= place) return;
    const last = blocks.at(-1);
    if (last && text.slice(covered, place).trim() === "") blocks[blocks.length - 1] = { ...last, next: place };
    else blocks.push({ start: covered, end: place, next: place, repeatedFrom: place, endsInLine: false });
    covered = place;
  };
  for (const [i, { start, end }] of chunks.entries()) {
    fillTo(start);
    // what it repeats is drawn with the chunk before, and so is the white space after that
    const added = Math.max(start, covered);
    const blank = blocks.length > 0 ? /^\s*/.exec(text.slice(added, end))![0].length : 0;
    fillTo(added + blank);
    const from = added + blank;
    const to = Math.max(end, from);
    const following = chunks[i + 1]?.start ?? to;
    const repeatedFrom = Math.min(Math.max(following, from), to);
    const endsInLine = to < text.length && !/^\s*\n/.test(text.slice(to, to + 200)) && text[to - 1] !== "\n";
    blocks.push({ start: from, end: to, next: to, chunk: i, repeatedFrom, endsInLine });
    covered = to;
  }
  fillTo(text.length);
  return blocks;
}

export function leavesOf(blocks: readonly Block[]): Leaf[] {
  const leaves: Leaf[] = [];
  for (let i = 0; i < blocks.length; i += BLOCKS_PER_LEAF) {
    const own = blocks.slice(i, i + BLOCKS_PER_LEAF);
    leaves.push({ start: own[0]!.start, end: own.at(-1)!.next, blocks: own });
  }
  return leaves;
}

/** Lines that a text takes at a width in columns; characters of Chinese and its neighbours are two columns wide. */
export function lineCount(text: string, columns: number): number {
  let lines = 0;
  for (const line of text.split("\n")) {
    const wide = /[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]/.test(line) ? 2 : 1;
    lines += Math.max(1, Math.ceil((line.length * wide) / columns));
  }
  return lines;
}

/** How many tokens chunks have, and how much of the text they repeat. */
export interface CutSummary {
  readonly numChunks: number;
  readonly least: number;
  readonly median: number;
  readonly most: number;
  /** Share of the chunks' characters that stand in the chunk before too. */
  readonly repeated: number;
  /** Chunks by size, from none to the most tokens that were allowed, in equal steps. */
  readonly bars: readonly number[];
}

const BARS = 16;

/** Undefined without chunks. */
export function summaryOf(chunks: readonly CutChunk[], maxTokens: number): CutSummary | undefined {
  if (chunks.length === 0) return undefined;
  const sizes = chunks.map(({ numTokens }) => numTokens).sort((a, b) => a - b);
  const bars = new Array<number>(BARS).fill(0);
  for (const size of sizes) bars[Math.min(BARS - 1, Math.floor((size / maxTokens) * BARS))]!++;
  let [characters, repeated] = [0, 0];
  for (const [i, { start, end }] of chunks.entries()) {
    characters += end - start;
    repeated += Math.max(0, (chunks[i - 1]?.end ?? 0) - start);
  }
  return {
    numChunks: sizes.length,
    least: sizes[0]!,
    median: sizes[sizes.length >> 1]!,
    most: sizes.at(-1)!,
    repeated: characters === 0 ? 0 : repeated / characters,
    bars,
  };
}
