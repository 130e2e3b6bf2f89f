/** @file What turns texts into vectors: the interface of every embedder, and how one is opened. */

/** What a text is to a search: asked, or to be found. Some models write a different prefix before each. */
export type TextKind = "query" | "passage";

/** Vectors of a text's tokens, each made in the sight of the whole text. */
export interface TokenVectors {
  /** Start of each token in the text, in UTF-16 code units. */
  readonly starts: Int32Array;
  /** End of each token, exclusive. */
  readonly ends: Int32Array;
  /** One vector after the other, [tokens · dimension]; not scaled to unit length. */
  readonly vectors: Float32Array;
}

/** Texts to vectors whose dot product says how alike the texts are. */
export interface Embedder {
  /** Names weights, pooling and prefixes: a readable name and, where there is a content to hash, `@` and 12 hex digits of it. */
  readonly model: string;
  /** Length of every vector. */
  readonly dimension: number;
  /**
   * A vector of unit length per text, in the order given.
   * @throws CapacityError for a text that the model cannot take whole; EmbedderError where a server refuses; the
   * signal's reason once it is aborted.
   */
  embed(texts: readonly string[], kind: TextKind, signal?: AbortSignal): Promise<Float32Array[]>;
  /** Contextual vectors of a passage's tokens, for late chunking. Absent where the model gives none. */
  embedTokens?(text: string): Promise<TokenVectors>;
  close?(): Promise<void>;
}

/** A kind of embedder: one file and one registry line. */
export interface EmbedderDef<Options extends object = object> {
  readonly name: string;
  /**
   * Opens one.
   * @param source where the model is: a folder, or an address; none is needed where the package has it.
   */
  open(source: string, options?: Options): Promise<Embedder>;
}
