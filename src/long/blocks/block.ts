/** @file What a block of generated text is, who judges it, and what is kept of it. */

import type { RngState } from "../../base/rng.js";

/** Why a block ended: it has its tokens, the text ended or came to a stop string, or the context is full. */
export type BlockEnd = "full" | "stop" | "context";

/** A stretch of a text as it has just been generated. */
export interface Block {
  /** From 0. */
  readonly index: number;
  readonly text: string;
  /** May still become a stop string; belongs to the text if it ends here. */
  readonly held: string;
  readonly numTokens: number;
  readonly end: BlockEnd;
}

/** What becomes of a block; nothing said, it stays and the text goes on unless it ended by itself. */
export interface Verdict {
  /** The text ends with this block. */
  readonly stop?: boolean;
  /** Stands in the text instead of the block's `text` and `held`, and the model goes on from it. */
  readonly text?: string;
  /** What the model reads next though it is no part of the text. A text that ended by itself goes on behind it. */
  readonly guidance?: string;
}

/** Judges a block; `before` is the text in front of it. */
export type BlockHook = (block: Block, before: string) => Verdict | undefined | Promise<Verdict | undefined>;

/** A judged block. Together with those before it, it is all that is needed to go on. */
export interface BlockRecord {
  /** Tokens that were generated. */
  readonly ids: readonly number[];
  /** What the block adds to the text. */
  readonly text: string;
  readonly end: BlockEnd;
  /** State of the random numbers behind it. */
  readonly rng: RngState;
  readonly edit?: string | undefined;
  readonly guidance?: string | undefined;
  /** No block follows. */
  readonly isLast: boolean;
}
