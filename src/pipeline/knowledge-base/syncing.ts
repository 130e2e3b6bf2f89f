/** @file An index as it is brought up to date, document by document. */

import type { IndexReport, KnowledgeBase } from "./knowledge-base.js";

export interface SyncingEvent {
  readonly type: "document";
  /** Of a document that is new or changed and is being cut. */
  readonly path: string;
}

/**
 * Brings an index up to date, and names each document that is cut.
 * @param signal ends it before the next document; the next synchronisation goes on from there.
 */
export async function* syncing(
  knowledge: KnowledgeBase,
  signal?: AbortSignal,
): AsyncGenerator<SyncingEvent, IndexReport> {
  const paths: string[] = [];
  let wake = (): void => undefined;
  let isDone = false;
  const sync = knowledge
    .sync((path) => {
      signal?.throwIfAborted();
      paths.push(path);
      wake();
    })
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
