/** @file A document brought under a budget of tokens: what it takes, and what comes of it. */

import type { Span, TokenCounter } from "../../chunk/index.js";

/** Unit-length vectors of texts, questions and passages alike. */
export type Embed = (texts: readonly string[]) => Promise<readonly Float32Array[]>;

export interface ContextRequest {
  readonly document: string;
  /** What the document is read for; without it there is nothing to retrieve by. */
  readonly question?: string;
  /** Most tokens of the packed text. */
  readonly budget: number;
  readonly counter: TokenCounter;
  /** Ranks passages by meaning too, beside their words. */
  readonly embed?: Embed;
  /** How the document is written. Default markdown. */
  readonly format?: "markdown" | "plain";
}

/** A part of a document that is kept. */
export interface KeptSpan extends Span {
  /** What it was chosen by: higher is better, comparable within one packing. */
  readonly score: number;
}

/** What is left of a document. */
export interface Packing {
  /** In the document's order; `gap` stands between parts that are not neighbours. */
  readonly text: string;
  readonly spans: readonly KeptSpan[];
  /** Of `text`; never more than the budget. */
  readonly numTokens: number;
}

/** A way to bring a document under a budget. Registered in `index.ts`. */
export interface ContextStrategy {
  readonly name: string;
  /** Undefined where it cannot: the whole does not fit, or there is nothing to go by. */
  pack(request: ContextRequest): Promise<Packing | undefined>;
}
