/** @file Text in chunks: public names and the registry of chunkers. */
import { code } from "./code.js";
import { fixed } from "./fixed.js";
import { html } from "./html.js";
import { parentChild } from "./parent-child.js";
import { recursive } from "./recursive.js";
import { sentence } from "./sentence.js";
import { sentenceWindow } from "./sentence-window.js";
import { table } from "./table.js";

export { sentences } from "../text/sentences.js";
export type { Chunk, ChunkerDef, ChunkOptions, Span, TokenCounter } from "./chunk.js";
export { type CodeOptions, code } from "./code.js";
export { fixed } from "./fixed.js";
export { html } from "./html.js";
export { type Language, languages } from "./languages/index.js";
export { type ParentChildOptions, parentChild } from "./parent-child.js";
export { type RecursiveOptions, recursive } from "./recursive.js";
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
  "parent-child": parentChild,
  "sentence-window": sentenceWindow,
} as const;
