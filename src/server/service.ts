/** @file What the server serves: passages of the indexed documents, and text of the tuned model. */

import type { Hit } from "../retrieval/stores/store.js";

/** Facts about the model that answers, shown beside its text. */
export interface ModelCard {
  /** How the model came to be: "trained from scratch on this folder in 61 s", "stories260K, tuned …". */
  readonly origin: string;
  readonly numParameters: number;
  /** Format of the weights in memory. */
  readonly weights: string;
  /** Held-out perplexity before and after tuning. */
  readonly perplexityBefore: number;
  readonly perplexityAfter: number;
  /** Longest sequence in tokens. */
  readonly contextLength: number;
}

export interface TextOptions {
  /** Most tokens to generate. */
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed: number;
  /** Ends the text after the token that is being computed. */
  readonly signal: AbortSignal;
}

/** What was read and written, once a text has ended. */
export interface TextEnd {
  /** Prompt tokens that the model was given. */
  readonly numPromptTokens: number;
  /** Tokens that were cut from the prompt's front to fit the context. */
  readonly numDroppedTokens: number;
  readonly numTokens: number;
}

/** One folder, indexed and tuned on. */
export interface KnowledgeService {
  /** Name of the folder, for the page's title. */
  readonly folder: string;
  readonly numDocuments: number;
  readonly numChunks: number;
  readonly model: ModelCard;
  /** A few headings of the documents, to search for at first; see `pickTopics`. */
  readonly topics: readonly string[];
  /** Best passages for a question, best first. */
  search(question: string, limit: number): Promise<readonly Hit[]>;
  /** Source text of an indexed document, or undefined when there is none of that path. */
  document(path: string): Promise<string | undefined>;
  /**
   * Text that the model writes after a prompt, piece by piece, then the counts as the generator's return value. The prompt
   * is cut at its front to fit the context.
   */
  complete(prompt: string, options: TextOptions): AsyncGenerator<string, TextEnd>;
}
