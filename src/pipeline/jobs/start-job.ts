/** @file A job in a process of its own, so that its memory is its own and its death nobody else's. */

import { TesseraError } from "../../base/errors.js";
import { endOf, forkMain } from "../fork-main.js";
import { fromPlainError } from "../plain-error.js";
import type { FromJob, JobName, Jobs, ToJob } from "./protocol.js";

export interface StartedJob {
  /** Resolves once its process has ended. Rejects with what the job threw, or why its process died. */
  readonly ended: Promise<"done" | "stopped">;
  /** Ends it after the current step, with a checkpoint. */
  stop(): void;
  /** Ends its training for good after the current step: the best parameters are kept and measured. */
  finish(): void;
}

/**
 * Starts a job.
 * @param onEvent hears what it says, with the resident memory of its process in bytes.
 */
export function startJob<Name extends JobName>(
  job: Name,
  request: Jobs[Name]["request"],
  onEvent: (event: Jobs[Name]["event"], rssBytes: number) => void,
): StartedJob {
  const child = forkMain(import.meta.url);
  const send = (message: ToJob): void => {
    // what is sent to a process that has just died is answered by its end
    if (child.connected) child.send(message, () => undefined);
  };
  let end: Exclude<FromJob, { type: "event" }> | undefined;
  child.on("message", (message: FromJob) => {
    if (message.type === "event") onEvent(message.event as Jobs[Name]["event"], message.rssBytes);
    else end = message;
  });
  send({ type: "start", job, request } as ToJob);
  const ended = endOf(child).then((reason) => {
    if (end === undefined) {
      throw new TesseraError(
        `the process of the job ended (${reason}); start it again, and it goes on from its last checkpoint`,
      );
    }
    if (end.type === "failed") throw fromPlainError(end.error);
    return end.type;
  });
  return { ended, stop: () => send({ type: "stop" }), finish: () => send({ type: "finish" }) };
}
