/** @file The process of one job: starts it, tells of it, stops when told to or when nobody is left to tell. */

import { assert } from "../../base/errors.js";
import { exportRun } from "../export-run.js";
import { KnowledgeBase } from "../knowledge-base/knowledge-base.js";
import { syncing } from "../knowledge-base/syncing.js";
import { toPlainError } from "../plain-error.js";
import { tune } from "../tuning/index.js";
import { up } from "../up.js";
import type { FromJob, JobName, Jobs, ToJob } from "./protocol.js";

const abort = new AbortController();
const finish = new AbortController();
const signals = { signal: abort.signal, finish: finish.signal };

function send(message: FromJob): void {
  if (process.connected) process.send?.(message);
}

type Runners = {
  [Name in JobName]: (request: Jobs[Name]["request"]) => AsyncGenerator<Jobs[Name]["event"], void>;
};

const runners: Runners = {
  async *up(options) {
    const result = yield* up({ ...options, ...signals });
    await result.close();
  },
  async *index({ folder, ...options }) {
    await using knowledge = await KnowledgeBase.open(folder, options);
    yield { type: "index", report: yield* syncing(knowledge, signals) };
  },
  // biome-ignore lint/correctness/useYield: there is nothing to tell of
  async *export(request) {
    await exportRun(request);
  },
  async *tune({ config, memoryBytes }) {
    const run = tune(config, { ...signals, ...(memoryBytes !== undefined && { memoryBytes }) });
    for await (const event of run) {
      if (event.type !== "data") {
        yield event;
        continue;
      }
      const { examples, rows } = event;
      const { numTokens } = rows.trainReport;
      yield { type: "data", numTrain: examples.train.length, numHeldOut: examples.heldOut.length, numTokens };
    }
  },
};

function eventsOf(message: Extract<ToJob, { type: "start" }>): AsyncGenerator<Jobs[JobName]["event"], void> {
  if (message.job === "up") return runners.up(message.request);
  if (message.job === "index") return runners.index(message.request);
  if (message.job === "export") return runners.export(message.request);
  return runners.tune(message.request);
}

async function start(message: Extract<ToJob, { type: "start" }>): Promise<void> {
  try {
    for await (const event of eventsOf(message)) send({ type: "event", event, rssBytes: process.memoryUsage.rss() });
    send({ type: "done" });
  } catch (thrown) {
    // what is thrown after a stop says no more than that it was stopped
    send(abort.signal.aborted ? { type: "stopped" } : { type: "failed", error: toPlainError(thrown) });
  }
  if (process.connected) process.disconnect();
}

let isStarted = false;

process.on("message", (message: ToJob) => {
  if (message.type !== "start") {
    (message.type === "stop" ? abort : finish).abort();
    return;
  }
  assert(!isStarted, "a process has one job");
  isStarted = true;
  void start(message);
});
process.on("disconnect", () => abort.abort());
// ctrl-C reaches the whole group; the process that watches says when this one stops
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
