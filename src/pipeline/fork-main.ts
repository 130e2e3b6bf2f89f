/** @file Processes of our own beside this one. */

import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * Starts the `main` that stands beside a module: the built file, or, where the sources run (tests, tsx), the source with
 * the same loader. Its standard output goes to our standard error: ours belongs to what was asked for.
 * @param beside the caller's `import.meta.url`.
 */
export function forkMain(beside: string): ChildProcess {
  const isSource = beside.endsWith(".ts");
  const main = fileURLToPath(new URL(isSource ? "./main.ts" : "./main.js", beside));
  const loader = (): string => pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return fork(main, [], {
    // not the parent's: its -e, -p or --inspect are its own
    execArgv: isSource ? ["--import", loader()] : [],
    serialization: "advanced",
    stdio: ["ignore", 2, 2, "ipc"],
  });
}

/** Why a process has ended: `signal SIGKILL`, `exit code 1`. */
export const endOf = (child: ChildProcess): Promise<string> =>
  new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
