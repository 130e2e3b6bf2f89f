/** @file One engine process: started, opened, ended. */

import { once } from "node:events";
import { TesseraError } from "../../base/errors.js";
import { endOf, forkMain } from "../fork-main.js";
import { fromPlainError } from "../plain-error.js";
import { Connection } from "./connection.js";
import type { FromHost, ServiceFacts, TextProcessOptions, ToHost } from "./protocol.js";

/** How long a process may take to free what it holds before it is killed. */
const closeTimeoutMs = 5000;

export interface EngineProcess extends AsyncDisposable {
  readonly pid: number;
  readonly facts: ServiceFacts;
  readonly connection: Connection;
  /** Resolves with the reason once the process has ended: `signal SIGKILL`, `exit code 1`. */
  readonly ended: Promise<string>;
}

/**
 * Starts a process and opens a service in it.
 * @throws what opening throws there; TesseraError when the process ends before.
 */
export async function startEngineProcess(options: TextProcessOptions): Promise<EngineProcess> {
  const child = forkMain(import.meta.url);
  const ended = endOf(child);
  const send = (message: ToHost): void => {
    // what is sent to a process that has just died is answered by its end
    if (child.connected) child.send(message, () => undefined);
  };
  const connection = new Connection(send);
  const facts = await new Promise<ServiceFacts>((resolve, reject) => {
    child.on("message", (message: FromHost) => {
      if (message.type === "ready") resolve(message.facts);
      else if (message.type === "failed") reject(fromPlainError(message.error));
      else connection.receive(message);
    });
    send({ type: "open", options });
    void ended.then((reason) => reject(new TesseraError(`the engine's process ended before it was ready: ${reason}`)));
  });
  return {
    pid: child.pid ?? 0,
    facts,
    connection,
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      send({ type: "close" });
      const timer = setTimeout(() => child.kill("SIGKILL"), closeTimeoutMs);
      await gone;
      clearTimeout(timer);
    },
  };
}
