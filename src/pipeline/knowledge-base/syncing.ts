/** @file An index as it is brought up to date, document by document. */

import type { IndexReport, KnowledgeBase, SyncingOptions } from "./knowledge-base.js";

export interface SyncingEvent {
  readonly type: "document";
  /** Of a document that is new or changed and is being cut. */
  readonly path: string;
}

/** Brings an index up to date, and names each document that is cut. The options are those of `KnowledgeBase.sync`. */
export async function* syncing(
  knowledge: KnowledgeBase,
  options: Omit<SyncingOptions, "onDocument"> = {},
): AsyncGenerator<SyncingEvent, IndexReport> {
  const paths: string[] = [];
  let wake = (): void => undefined;
  let isDone = false;
  const sync = knowledge
    .sync({
      onDocument(path) {
        paths.push(path);
        wake();
      },
      ...options,
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
