/** @file One process at a time trains in a run's folder. */

import { join } from "node:path";
import { ConfigError } from "../base/errors.js";
import { makeFolder } from "../checkpoint/atomic.js";
import { lockFile } from "../retrieval/stores/file-lock.js";
import { loadDriver } from "../retrieval/stores/sqlite-driver.js";

/**
 * Makes this process the only one that trains in a folder, until it lets go or dies.
 * @throws ConfigError where another one does.
 */
export async function lockRun(folder: string): Promise<Disposable> {
  await makeFolder(folder);
  const lock = lockFile(join(folder, "run.lock"), await loadDriver());
  if (lock) return { [Symbol.dispose]: () => lock.close() };
  throw new ConfigError(`another process trains in ${folder}; wait for its end, or stop it where it was started`);
}
