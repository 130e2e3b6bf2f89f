/** @file Text in chunks: public names and the registry of chunkers. */
import { clusterSemantic } from "./cluster-semantic.js";
import { code } from "./code.js";
import { contentDefined } from "./content-defined.js";
import { fixed } from "./fixed.js";
import { html } from "./html.js";
import { parentChild } from "./parent-child.js";
import { recursive } from "./recursive.js";
import { semantic } from "./semantic.js";
import { sentence } from "./sentence.js";
import { sentenceWindow } from "./sentence-window.js";
import { table } from "./table.js";

export { sentences } from "../text/sentences.js";
export type {
  Chunk,
  ChunkerDef,
  ChunkOptions,
  EmbeddingChunkerDef,
  EmbeddingChunkOptions,
  EmbedTexts,
  Span,
  TokenCounter,
} from "./chunk.js";
export { type ClusterSemanticOptions, clusterSemantic } from "./cluster-semantic.js";
export { type CodeOptions, code } from "./code.js";
export { type ContentDefinedOptions, contentDefined } from "./content-defined.js";
export { estimatedTokens } from "./estimated-tokens.js";
export { fixed } from "./fixed.js";
export { html } from "./html.js";
export { type Language, languages } from "./languages/index.js";
export { type LateChunk, type LateOptions, late, type TokenVectors } from "./late.js";
export { type ParentChildOptions, parentChild } from "./parent-child.js";
export { type RecursiveOptions, recursive } from "./recursive.js";
export { type SectionSpan, sections } from "./sections.js";
export { type SemanticOptions, semantic } from "./semantic.js";
export { type SentenceChunkOptions, sentence } from "./sentence.js";
export { type SentenceWindowOptions, sentenceWindow } from "./sentence-window.js";

export { type TableOptions, table } from "./table.js";

/** Chunkers by name. Adding one is its file and a line here; `test/conformance/chunkers.test.ts` then tests it. */
export const chunkers = {
  recursive,
  fixed,
  sentence,
  html,
  code,
  table,
  "content-defined": contentDefined,
  "parent-child": parentChild,
  "sentence-window": sentenceWindow,
} as const;

/** Chunkers that ask an embedder, by name; the same suite tests them. `late` is none: it gives vectors with its chunks. */
export const embeddingChunkers = { semantic, "cluster-semantic": clusterSemantic } as const;
