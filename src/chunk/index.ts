/** @file Text in chunks: public names and the registry of chunkers. */
import { recursive } from "./recursive.js";

export { sentences } from "../text/sentences.js";
export type { Chunk, ChunkerDef, ChunkOptions, Span, TokenCounter } from "./chunk.js";
export { type RecursiveOptions, recursive } from "./recursive.js";

/** Chunkers by name. Adding one is its file and a line here; `test/conformance/chunkers.test.ts` then tests it. */
export const chunkers = { recursive } as const;
