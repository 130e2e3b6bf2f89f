/** @file A tuning run that goes on: its process, what it says, and how it ended. */

import { messageOf } from "../../../base/errors.js";
import type { LiveState } from "../../../server/studio/live-state.js";
import type { RunPlan, RunSummary } from "../../../server/studio/wire/index.js";
import type { Jobs } from "../../jobs/protocol.js";
import { type StartedJob, startJob } from "../../jobs/start-job.js";
import { MetricsFile, type Workspace } from "../../workspace.js";
import { ProgressMeter } from "../progress-meter.js";
import { PointFeed } from "./point-feed.js";
import { planned, type RunRecord, runPlanOf, samplesFile, withPoint } from "./run-record.js";

type TuneJobEvent = Jobs["tune"]["event"];

export class TuneRun {
  /** Resolves once data and model have been read, rejects with what is wrong with them. */
  readonly begun: Promise<void>;
  /** Resolves when its process has ended, however that was. */
  readonly ended: Promise<void>;
  readonly #job: StartedJob;
  readonly #feed: PointFeed;
  readonly #samples: MetricsFile;
  #meter: ProgressMeter | undefined;
  #summary: RunSummary;
  #begin = (): void => undefined;
  /** Writes of samples and marks, one after the other. */
  #written: Promise<void> = Promise.resolve();

  /**
   * @param summary as the run stood before.
   * @param onEnd keeps why it failed, if it did, before pages hear of it.
   */
  constructor(
    private readonly live: LiveState,
    runs: Workspace,
    { config, memoryBytes }: RunRecord,
    summary: RunSummary,
    private readonly onEnd: (error: unknown) => Promise<void>,
  ) {
    const { id } = summary;
    const { error: _, ...rest } = summary;
    this.#summary = { ...rest, status: "running" };
    this.#feed = new PointFeed(live, id, (points) => {
      this.#summary = points.reduce(withPoint, this.#summary);
      this.#show({ progress: { ...this.#summary.progress!, ...this.#meter?.pace } });
    });
    this.#samples = new MetricsFile(samplesFile(runs.path(id)));
    const request = {
      config: { base: "", data: "", ...config, out: runs.path(id) },
      ...(memoryBytes !== undefined && { memoryBytes }),
    };
    this.#job = startJob("tune", request, (event, rssBytes) => this.#hear(event, rssBytes));
    this.begun = new Promise<void>((resolve, reject) => {
      this.#begin = resolve;
      this.#job.ended.then(() => resolve(), reject);
    });
    // whoever waits hears of it; a run that goes on has nobody who waits
    this.begun.catch(() => undefined);
    this.ended = this.#follow();
    this.#show({});
  }

  pause(): void {
    this.#show({ status: "stopping" });
    this.#job.stop();
  }

  /** For good. */
  stop(): void {
    this.#show({ status: "stopping" });
    this.#job.finish();
  }

  async #follow(): Promise<void> {
    let status: RunSummary["status"] = "failed";
    let thrown: unknown;
    try {
      const end = await this.#job.ended;
      await this.#written;
      status = end;
    } catch (failure) {
      thrown = failure;
    }
    this.#feed.flush();
    await this.onEnd(thrown);
    const revision = this.#summary.revision + 1;
    this.#summary = { ...this.#summary, status, revision, ...(thrown !== undefined && { error: messageOf(thrown) }) };
    this.live.endWork(this.#workId);
    this.live.change({ runs: replaced(this.live.current.runs, this.#summary) });
  }

  #hear(event: TuneJobEvent, rssBytes: number): void {
    if (event.type === "data") this.#begin();
    else if (event.type === "plan") this.#plan(runPlanOf(event.plan));
    else if (event.type === "train") {
      const point = this.#meter?.hear(event.event, rssBytes);
      if (point) this.#feed.add(point);
    } else if (event.type === "samples") {
      this.#meter?.pause();
      const { step, samples } = event;
      const lines = samples.map(({ prompt, text, expected }) => ({ prompt, text, expected }));
      this.#written = this.#written
        .then(() => this.#samples.append({ step, samples: lines }))
        .then(() => this.#show({ revision: this.#summary.revision + 1 }));
    }
  }

  #plan(plan: RunPlan): void {
    const { progress, ...facts } = planned(plan);
    this.#meter = new ProgressMeter(plan.steps);
    const revision = this.#summary.revision + 1;
    this.#show({ ...facts, revision, progress: { ...progress, ...this.#summary.progress, steps: progress.steps } });
  }

  get #workId(): string {
    return `run:${this.#summary.id}`;
  }

  #show(changes: Partial<RunSummary>): void {
    this.#summary = { ...this.#summary, ...changes };
    const { name, status, progress } = this.#summary;
    this.live.change({ runs: replaced(this.live.current.runs, this.#summary) });
    const share = progress && progress.steps > 0 ? progress.step / progress.steps : undefined;
    const label = status === "stopping" ? `Stopping ${name} after this step` : `Tuning ${name}`;
    this.live.showWork({ id: this.#workId, label, ...(share !== undefined && { share }) });
  }
}

/** The latest first. */
export function replaced(runs: readonly RunSummary[], run: RunSummary): RunSummary[] {
  return [...runs.filter(({ id }) => id !== run.id), run].sort((a, b) => b.startedAt - a.startedAt);
}
