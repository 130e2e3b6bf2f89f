/** @file The ways to cut that are tried where nobody says which. */
import { embeddingChunkers } from "../../chunk/index.js";
import type { ChunkerName } from "../chunk-document.js";
import type { ChunkTrial } from "./search-chunking.js";

const sizes = [128, 256, 512];
/** Chunkers for text of any kind, the usual one first; html, code and table are for sources of theirs. */
const anyText: readonly ChunkerName[] = [
  "recursive",
  "sentence",
  "fixed",
  "content-defined",
  "parent-child",
  "sentence-window",
];
/** Those that have no use for overlap. */
const withoutOverlap: ReadonlySet<string> = new Set(["sentence-window", ...Object.keys(embeddingChunkers)]);

/** These chunkers in each size, without overlap and with an eighth. Default: all that cut text of any kind. */
export function usualTrials(names: readonly ChunkerName[] = anyText): ChunkTrial[] {
  return names.flatMap((chunker) =>
    sizes.flatMap((maxTokens) =>
      (withoutOverlap.has(chunker) ? [0] : [0, maxTokens / 8]).map((overlapTokens) => ({
        chunker,
        maxTokens,
        overlapTokens,
      })),
    ),
  );
}

/** Those that look at meaning too, for who has an embedder. */
export const embeddingTrials = (): ChunkTrial[] => usualTrials(Object.keys(embeddingChunkers) as ChunkerName[]);
