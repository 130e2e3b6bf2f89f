/** @file The documents that a command reads, and on standard error what it leaves out. */
import { type Document, scanFolder } from "../documents/index.js";

/** Documents of a folder or file, source code among them. @throws DataError if there is none. */
export async function* documentsOf(path: string): AsyncGenerator<Document> {
  for await (const entry of scanFolder(path, { code: true })) {
    if (entry.kind === "document") yield entry;
    else if (entry.kind === "skip") console.error(`left out ${entry.path}: ${entry.reason} (${entry.detail})`);
  }
}

export async function allDocuments(path: string): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const document of documentsOf(path)) documents.push(document);
  return documents;
}
