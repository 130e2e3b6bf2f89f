/** @file ctrl-C in a run that can go on later: the first stops it after its step, the second at once. */

import type { StatusLine } from "./status-line.js";

export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** Listens until it is disposed of. */
export function stopSignal(status: StatusLine): StopSignal {
  const stop = new AbortController();
  const atOnce = (): void => process.exit(130);
  const afterStep = (): void => {
    status.print("stopping after this step; press ctrl-C again to stop at once");
    process.once("SIGINT", atOnce);
    stop.abort();
  };
  process.once("SIGINT", afterStep);
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      for (const listener of [afterStep, atOnce]) process.removeListener("SIGINT", listener);
    },
  };
}
