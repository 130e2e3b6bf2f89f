/** @file One answer from several documents: each is read by itself, then what was answered. */

import type { Document } from "../documents/index.js";
import {
  NO_ANSWER,
  type Reading,
  type ReadingModel,
  type ReadingRequest,
  type ReadingStrategy,
} from "../long/index.js";

export interface DocumentReading {
  readonly path: string;
  readonly reading: Reading;
}

export interface FolderReading {
  readonly text: string;
  /** In the order of the documents. */
  readonly documents: readonly DocumentReading[];
  /** How the answers became one; absent where at most one document says something. */
  readonly joined?: Reading;
}

/**
 * Reads every document with the strategy, and then their answers, each under its document's name, as one more document.
 * Those that say nothing about the task are left out of it.
 */
export async function readDocuments(
  strategy: ReadingStrategy,
  model: ReadingModel,
  documents: readonly Pick<Document, "path" | "text" | "mediaType">[],
  request: Omit<ReadingRequest, "document" | "format">,
): Promise<FolderReading> {
  const read: DocumentReading[] = [];
  for (const { path, text, mediaType } of documents) {
    const format = mediaType === "text/markdown" ? "markdown" : "plain";
    read.push({ path, reading: await strategy.read(model, { ...request, document: text, format }) });
  }
  const telling = read.filter(({ reading }) => reading.text.trim() !== "" && !reading.text.startsWith(NO_ANSWER));
  const [first] = telling;
  if (!first) return { text: NO_ANSWER, documents: read };
  if (telling.length === 1) return { text: first.reading.text, documents: read };
  const answers = telling.map(({ path, reading }) => `# ${path}\n\n${reading.text.trim()}\n`).join("\n");
  const joined = await strategy.read(model, { ...request, document: answers, format: "markdown" });
  return { text: joined.text, documents: read, joined };
}
