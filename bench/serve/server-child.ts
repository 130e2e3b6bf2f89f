/** @file The server of the serving benchmark: a process of its own that also tells its event loop's delay and memory. */

import { readFileSync } from "node:fs";
import { openTextProcess } from "../../src/pipeline/text-process/open.js";
import type { TextProcessOptions } from "../../src/pipeline/text-process/protocol.js";
import { listen } from "../../src/server/adapters/node.js";
import { ApiError, createOpenAiApp } from "../../src/server/openai/index.js";
import { type LoopDelay, raisePriority, watchLoop } from "./loop-delay.js";

export interface Report {
  /** Since the last report. */
  readonly delay: LoopDelay;
  /** Megabytes of the server's process and of the engine's, and what is alive on the server's heap after a collection. */
  readonly memory: { readonly server: number; readonly engine: number; readonly heap: number };
  /** Requests in the engine. */
  readonly inEngine: number;
}

const { maxWaiting, ...options } = JSON.parse(process.argv[2]!) as TextProcessOptions & { maxWaiting: number };
const service = await openTextProcess(options);
const { app } = createOpenAiApp(service, { maxWaiting });
const server = await listen(app, { port: 0, refusalBody: (message) => new ApiError(400, message).body });
// the engine keeps the priority that it was started with
console.error(`priority of the server's process ${raisePriority() ? "raised" : "as it was"}`);
const delay = watchLoop();

async function report(): Promise<Report> {
  const { running, waiting } = await service.statistics();
  return {
    delay: delay(),
    memory: {
      heap: aliveMegabytes(),
      server: megabytes(process.pid),
      engine: megabytes(service.engineState().pid!),
    },
    inEngine: running + waiting,
  };
}

/** Resident memory; Linux only, as the whole benchmark. */
function megabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

function aliveMegabytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

process.on("message", async () => process.send!(await report()));
process.on("disconnect", async () => {
  await server.close();
  await service[Symbol.asyncDispose]();
});
process.send!(server.url);
