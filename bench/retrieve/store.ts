/** @file An index in a folder that goes away. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Store, type StoreOptions, stores } from "../../src/retrieval/index.js";

export async function withStore<T>(options: StoreOptions, body: (store: Store) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "tessera-bench-"));
  try {
    const store = await stores.sqlite.open(folder, options);
    try {
      return await body(store);
    } finally {
      await store.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
