/** @file Lines in, something done for each, until there are no more or it is enough. */

import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface LineStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * Reads lines until the input ends, `respond` gives false, or ctrl-C while nothing is done for one; ctrl-C otherwise aborts
 * the signal.
 * @param prompt stands where a line is awaited; an empty one makes the loop silent, for input that is no terminal.
 */
export async function lineLoop(
  { input, output }: LineStreams,
  respond: (line: string, signal: AbortSignal) => Promise<boolean>,
  prompt = "> ",
): Promise<void> {
  const lines = createInterface({ input, ...(prompt !== "" && { output, prompt }) });
  let answering: AbortController | undefined;
  lines.on("SIGINT", () => (answering ? answering.abort() : lines.close()));
  const ask = (): void => (prompt === "" ? undefined : lines.prompt());
  try {
    ask();
    for await (const line of lines) {
      answering = new AbortController();
      const goesOn = await respond(line, answering.signal);
      answering = undefined;
      if (!goesOn) break;
      ask();
    }
  } finally {
    await closed(lines);
  }
}

async function closed(lines: Interface & { readonly closed?: boolean }): Promise<void> {
  if (lines.closed) return;
  const end = once(lines, "close");
  lines.close();
  await end;
}
