/** @file Locks of the operating system on files: they end with the process, however that dies. */

import { messageOf } from "../../base/errors.js";
import type { Database, Driver } from "./sqlite-driver.js";

/** Locks a file of its own, made where it is not there; undefined where another process has it. Closing lets go of it. */
export function lockFile(path: string, driver: Driver): Database | undefined {
  const lock = new driver.DatabaseSync(path);
  try {
    lock.exec("begin exclusive");
    return lock;
  } catch (thrown) {
    lock.close();
    if (!/locked/.test(messageOf(thrown))) throw thrown;
    return undefined;
  }
}
