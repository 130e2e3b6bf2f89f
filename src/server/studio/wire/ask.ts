/** @file Asking the documents: quotes, and the passages that were considered for them with the reasons of their places. */

/** Body of `POST /api/ask`. */
export interface AskRequest {
  readonly question: string;
}

/** Words of a document and their place. */
export interface AskedQuote {
  readonly path: string;
  /** In the document's text, in UTF-16 units: `text === document.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Titles of the sections that hold it, outermost first. */
  readonly headingPath: readonly string[];
  readonly page?: number;
  /** Places in `text` of words of the question. */
  readonly matches: readonly TextSpan[];
}

/** Without a quote it has no support in the documents. */
export interface AskedStatement {
  readonly text: string;
  readonly quotes: readonly AskedQuote[];
}

export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** A place in a list, from 1, and the score there. */
export interface ListPlace {
  readonly rank: number;
  readonly score: number;
}

/** A passage that the search found, with why. */
export interface ConsideredPassage extends AskedQuote {
  /** By BM25; absent where it shares no word with the question, or too few to be among the first. */
  readonly words?: ListPlace;
  /** By cosine similarity of embeddings; absent where the index has none, or it is not among the first. */
  readonly meaning?: ListPlace;
  /** Of both together. */
  readonly fused: ListPlace;
  /** Whether a quote of the answer was taken from it. */
  readonly isQuoted: boolean;
}

/** Answer of `POST /api/ask`. */
export interface AskResponse {
  readonly question: string;
  /** None where nothing in the documents supports an answer. */
  readonly statements: readonly AskedStatement[];
  /** Best first. */
  readonly passages: readonly ConsideredPassage[];
  /** Chunks that were searched. */
  readonly numChunks: number;
  readonly seconds: number;
}
