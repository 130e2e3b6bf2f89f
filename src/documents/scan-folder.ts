/** @file Reads the documents of a folder, in the same order on every machine. */
import { DataError } from "../base/errors.js";
import type { ScanEntry, ScanSummary, SkipReason } from "./document.js";
import { type FileOptions, FileReader, skippedPages } from "./read-file.js";
import { FolderWalk } from "./walk-folder.js";

export type ScanOptions = FileOptions;

/**
 * Reads the documents in a folder and the folders in it, or a single file, one at a time; names come in the order of
 * their code units. Each file that is no document is an entry with the reason; hidden ones and `node_modules` are only
 * counted, and pages of a document that are pictures are an entry after it. Links are followed where they stay in the
 * folder. A summary comes last.
 * @throws ConfigError if an option is out of range.
 * @throws DataError if `root` does not exist, cannot be read or is no file or folder, or holds no document at all.
 */
export async function* scanFolder(root: string, options: ScanOptions = {}): AsyncGenerator<ScanEntry> {
  const reader = new FileReader(options);
  const walk = new FolderWalk();
  const firstSkips = new Map<SkipReason, string>();
  const numSkipped = new Map<SkipReason, number>();
  let numDocuments = 0;
  for await (const found of walk.entries(root)) {
    const entry = found.kind === "file" ? await reader.read(found) : found;
    if (entry.kind === "document") {
      numDocuments++;
      yield entry;
    }
    const left = entry.kind === "skip" ? entry : skippedPages(entry);
    if (left === undefined) continue;
    numSkipped.set(left.reason, (numSkipped.get(left.reason) ?? 0) + 1);
    if (!firstSkips.has(left.reason)) firstSkips.set(left.reason, `${left.path}: ${left.detail}`);
    yield left;
  }
  const summary: ScanSummary = { kind: "summary", numDocuments, numIgnored: walk.numIgnored, numSkipped };
  if (numDocuments === 0) throw noDocuments(root, summary, firstSkips, reader.extensions);
  yield summary;
}

function noDocuments(
  root: string,
  { numIgnored, numSkipped }: ScanSummary,
  first: ReadonlyMap<SkipReason, string>,
  endings: readonly string[],
): DataError {
  const reasons = [...numSkipped].map(([reason, count]) => `${count} ${reason} (such as ${first.get(reason)})`);
  if (numIgnored > 0) reasons.push(`${numIgnored} hidden or in node_modules`);
  const found = reasons.length === 0 ? "it is empty" : reasons.join("; ");
  return new DataError(`scanFolder: ${root} has no document to read: ${found}. Documents end in ${endings.join(", ")}`);
}
