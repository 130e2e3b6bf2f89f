/** @file Documents with the chunks drawn over them, and how they are cut. */

/** How a document is cut. */
export interface CutSettings {
  /** Absent: `code` for source in a language that it knows, otherwise `recursive`. */
  readonly chunker?: string;
  readonly maxTokens: number;
  readonly overlapTokens: number;
}

/** Of an index. Body of `POST /api/index`, which makes it anew with them. */
export interface IndexCutting extends CutSettings {
  /** Source code is indexed too. */
  readonly code: boolean;
}

/** `GET /api/documents`. */
export interface DocumentList {
  /** In the order of their paths. */
  readonly documents: readonly DocumentEntry[];
  readonly chunkers: readonly ChunkerFacts[];
}

export interface DocumentEntry {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  readonly numChunks: number;
}

export interface ChunkerFacts {
  readonly name: string;
  /** Looks at meaning; it cannot be had where the index is of words alone. */
  readonly needsEmbedder: boolean;
  readonly isOffered: boolean;
}

/** `GET /api/document?path=…`. */
export interface ShownDocument {
  readonly path: string;
  /** As its file says now. Offsets count UTF-16 code units of it. */
  readonly text: string;
  /** Of the file. */
  readonly hash: string;
  readonly mediaType: string;
  /** Absent for a document without pages. */
  readonly numPages?: number;
  /** Whether it says other than when it was indexed; `chunks` are then as the index would cut it now. */
  readonly hasChanged: boolean;
  readonly chunks: readonly CutChunk[];
}

/** A chunk by its place in the document's text. */
export interface CutChunk {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly numTokens: number;
  /** Headings that hold its first character, outermost first. */
  readonly headingPath: readonly string[];
  /** On which it starts, from 1. */
  readonly page?: number;
  /** The larger passage that is read in its place. */
  readonly parent?: { readonly start: number; readonly end: number };
}

/** Body of `POST /api/document/cut`. */
export interface CutRequest extends CutSettings {
  readonly path: string;
  /** Of the document as it is shown. */
  readonly hash: string;
}

/** Answer of `POST /api/document/cut`. */
export interface CutResponse {
  readonly chunks: readonly CutChunk[];
}
