/** @file A server process for the benchmark, started and asked. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { TextProcessOptions } from "../../src/pipeline/text-process/protocol.js";
import type { Report } from "./server-child.js";

export class BenchServer implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(options: TextProcessOptions & { readonly maxWaiting: number }): Promise<BenchServer> {
    const script = fileURLToPath(new URL("./server-child.ts", import.meta.url));
    const child = fork(script, [JSON.stringify(options)], {
      execArgv: [...process.execArgv, "--expose-gc"],
      stdio: ["ignore", 2, 2, "ipc"],
    });
    const [url] = (await once(child, "message")) as [string];
    return new BenchServer(child, Number(new URL(url).port));
  }

  /** Delay of the event loop since the last report, memory and requests in the engine. */
  async report(): Promise<Report> {
    const answer = once(this.child, "message");
    this.child.send("report");
    return (await answer)[0] as Report;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.child, "exit");
    this.child.disconnect();
    await gone;
  }
}
