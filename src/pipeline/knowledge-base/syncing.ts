/** @file An index as it is brought up to date, document by document. */

import type { ScanEntry } from "../../documents/index.js";
import type { IndexReport, KnowledgeBase } from "./knowledge-base.js";

export interface SyncingEvent {
  readonly type: "document";
  /** Of a document that is new or changed and is being cut. */
  readonly path: string;
}

/**
 * Brings an index up to date, and names each document that is cut.
 * `signal` ends it before the next document; the next synchronisation goes on from there. `entries` are those of the
 * folder, where it has just been scanned as the index's settings say.
 */
export async function* syncing(
  knowledge: KnowledgeBase,
  { signal, entries }: { readonly signal?: AbortSignal; readonly entries?: readonly ScanEntry[] } = {},
): AsyncGenerator<SyncingEvent, IndexReport> {
  const paths: string[] = [];
  let wake = (): void => undefined;
  let isDone = false;
  const sync = knowledge
    .sync((path) => {
      signal?.throwIfAborted();
      paths.push(path);
      wake();
    }, entries)
    .finally(() => {
      isDone = true;
      wake();
    });
  // it is awaited below; what it throws is thrown there
  sync.catch(() => undefined);
  while (!isDone || paths.length > 0) {
    const path = paths.shift();
    if (path !== undefined) yield { type: "document", path };
    else await new Promise<void>((resolve) => (wake = resolve));
  }
  return await sync;
}
