/** @file A conversation with a folder: questions line by line, at a terminal or from a script. */

import { TesseraError } from "../base/errors.js";
import type { Dialogue, Exchange } from "../pipeline/knowledge-base/dialogue.js";
import { type LineStreams, lineLoop } from "./line-loop.js";

export interface DialogueStreams extends LineStreams {
  /** Whether a person sits at the input. */
  readonly isTerminal: boolean;
  /** An answer as it is to be written. */
  readonly text: (exchange: Exchange) => string;
}

const help = `  /clear          forget what was asked
  /exit           end
  ctrl-C ends an answer, or the conversation`;

/**
 * Asks the first question, if it is one, and each line after it. At a terminal what goes wrong is said, and the conversation
 * goes on; from a script it ends it.
 */
export async function dialogueLoop(
  dialogue: Dialogue,
  first: string,
  { isTerminal, text, ...streams }: DialogueStreams,
): Promise<void> {
  const say = (line: string): unknown => streams.output.write(`${line}\n`);
  const respond = async (line: string, signal?: AbortSignal): Promise<boolean> => {
    const question = line.trim();
    if (question === "") return true;
    if (question === "/exit") return false;
    if (question === "/clear") {
      dialogue.clear();
      if (isTerminal) say("forgotten");
    } else if (question === "/help") say(help);
    else say(text(await dialogue.ask(question, signal)));
    return true;
  };
  const forgiving = async (line: string, signal: AbortSignal): Promise<boolean> => {
    try {
      return await respond(line, signal);
    } catch (thrown) {
      if (!(thrown instanceof TesseraError) && !signal.aborted) throw thrown;
      say(signal.aborted ? "given up" : (thrown as TesseraError).message);
      return true;
    }
  };
  if (first !== "") await respond(first);
  await lineLoop(streams, isTerminal ? forgiving : respond, isTerminal ? "> " : "");
}
