/** @file The main job's run, as it goes on. */

import type { LiveState } from "../../../server/studio/live-state.js";
import type { MainJob, RunPoint, RunSummary } from "../../../server/studio/wire/index.js";
import type { UpPlan } from "../../up.js";
import type { Workspace } from "../../workspace.js";
import { PointFeed } from "./point-feed.js";
import { planned, type RunRecord, runPlanOf, withPoint, writeRecord } from "./run-record.js";
import { replaced } from "./tune-run.js";

/** Hears of the main job and keeps its run in step. */
export class MainRun {
  #summary: RunSummary | undefined;
  #feed: PointFeed | undefined;
  #pace: MainJob["progress"];
  /** Records are written one after the other. */
  #written: Promise<void> = Promise.resolve();

  constructor(
    private readonly live: LiveState,
    private readonly runs: Workspace,
  ) {}

  planned({ run: id, origin, method, tuning }: UpPlan): void {
    const before = this.live.current.runs.find((known) => known.id === id);
    const startedAt = before?.startedAt ?? Date.now();
    const record: RunRecord = { kind: "main", name: "Main job", method, base: origin, startedAt };
    this.#written = this.#written.then(() => writeRecord(record, this.runs, id));
    const { progress, ...facts } = planned(runPlanOf(tuning));
    this.#feed = new PointFeed(this.live, id, (points) => {
      this.#summary = points.reduce(withPoint, this.#summary!);
      this.#show({});
    });
    const { error: _, ...known }: Partial<RunSummary> = before ?? {};
    const { kind, name, base } = record;
    this.#summary = {
      ...{ revision: 0, ...known, id, kind, name, method, base, startedAt, ...facts },
      status: "running",
      progress: { ...known.progress, ...progress, step: known.progress?.step ?? 0 },
    };
    this.#show({});
  }

  point(point: RunPoint): void {
    this.#feed?.add(point);
  }

  changed({ status, error, progress }: MainJob): void {
    if (!this.#summary || status === "idle") return;
    this.#pace = progress;
    if (status === "running" || status === "stopping") {
      if (status !== this.#summary.status) this.#show({ status });
      return;
    }
    this.#feed?.flush();
    const revision = this.#summary.revision + 1;
    this.#show({ status, revision, ...(error !== undefined && { error }) });
    // a later start has another plan, and perhaps another run
    this.#summary = undefined;
  }

  async close(): Promise<void> {
    this.#feed?.flush();
    await this.#written;
  }

  #show(changes: Partial<RunSummary>): void {
    const { secondsLeft } = this.#pace ?? {};
    const summary = { ...this.#summary!, ...changes };
    const progress = summary.progress && {
      ...summary.progress,
      ...(secondsLeft !== undefined && { secondsLeft }),
    };
    this.#summary = { ...summary, ...(progress && { progress }) };
    this.live.change({ runs: replaced(this.live.current.runs, this.#summary) });
  }
}
