/** @file A document in chunks that fill the rest of a prompt. */

import { type Chunk, recursive } from "../../chunk/index.js";
import type { Calls } from "./calls.js";
import type { ReadingModel, ReadingRequest } from "./reading.js";

/**
 * The document's chunks, as large as the context allows.
 * @param promptOf the longest prompt around a chunk.
 * @throws CapacityError when the prompt leaves no room.
 */
export async function documentChunks(
  { counter }: ReadingModel,
  { document, overlapTokens = 0, format = "markdown" }: ReadingRequest,
  calls: Calls,
  promptOf: (chunk: string) => string,
): Promise<readonly Chunk[]> {
  // counts need not add up where chunk and prompt meet, so what is over is taken off until all fit
  for (let maxTokens = -(await calls.excess(promptOf(""))); ; ) {
    if (maxTokens <= overlapTokens) throw calls.noRoom();
    const chunks = [...recursive.chunk(document, { counter, maxTokens, overlapTokens, format })];
    let excess = 0;
    for (const { text } of chunks) excess = Math.max(excess, await calls.excess(promptOf(text)));
    if (excess === 0) return chunks;
    maxTokens -= excess;
  }
}
