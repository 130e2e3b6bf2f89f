/** @file The main job as the Studio shows it: started, followed, stopped and gone on with. */

import { messageOf } from "../../base/errors.js";
import { Refusal } from "../../server/refusal.js";
import type { LiveState } from "../../server/studio/live-state.js";
import type { JobControl } from "../../server/studio/service.js";
import type { JobPlan, JobResult, MainJob, RunPoint } from "../../server/studio/wire/index.js";
import { type StartedJob, startJob } from "../jobs/start-job.js";
import type { UpEvent, UpPlan, UpReport, UpRequest } from "../up.js";
import { ProgressMeter } from "./progress-meter.js";
import { Throttle } from "./throttle.js";

/** Its entry in what goes on. */
const WORK = "job";

export interface MainJobHooks {
  /** The index has been brought up to date. */
  readonly onIndex: (event: Extract<UpEvent, { type: "index" }>) => void;
  /** The folder's model is there. */
  readonly onReport: (report: UpReport) => void;
  /** The plan is made: the run below this name goes on. */
  readonly onPlan: (plan: UpPlan) => void;
  readonly onPoint: (point: RunPoint) => void;
  /** The job is not what it was. */
  readonly onChange: (job: MainJob) => void;
  /** Hears of all events, with the resident memory of the job's process. */
  readonly onEvent: (event: UpEvent, rssBytes: number) => void;
}

export class MainJobControl implements JobControl {
  readonly #live: LiveState;
  readonly #options: UpRequest;
  readonly #hooks: MainJobHooks;
  #started: StartedJob | undefined;
  #numCut = 0;
  #meter: ProgressMeter | undefined;
  readonly #progress = new Throttle(() => this.#change(this.#job));

  /** @param report that of an earlier process, where the job was done before. */
  constructor(live: LiveState, options: UpRequest, hooks: MainJobHooks, report?: UpReport) {
    this.#live = live;
    this.#options = options;
    this.#hooks = hooks;
    if (report) live.change({ job: doneJob(report) });
  }

  start({ seconds }: { readonly seconds?: number } = {}): void {
    const { status } = this.#live.current.job;
    if (status === "running" || status === "stopping") {
      throw new Refusal(409, "the job is running; stop it before it is started again");
    }
    if (this.#live.current.indexing?.status === "running") {
      throw new Refusal(409, "the index is being made anew; start the job when it is done");
    }
    this.#numCut = 0;
    this.#meter = undefined;
    this.#change({ status: "running", stage: "read" });
    const options = { ...this.#options, ...(seconds !== undefined && { seconds }) };
    const started = startJob("up", options, (event, rssBytes) => this.#hear(event, rssBytes));
    this.#started = started;
    void this.#follow(started);
  }

  stop(): void {
    if (this.#live.current.job.status !== "running") throw new Refusal(409, "the job is not running");
    this.#change({ ...this.#job, status: "stopping" });
    this.#started?.stop();
  }

  finish(): void {
    const { status, stage } = this.#live.current.job;
    if (status !== "running" || stage !== "train") throw new Refusal(409, "the job is not training");
    this.#started?.finish();
  }

  /** Stops the job if it is running, and waits for its end. */
  async close(): Promise<void> {
    this.#started?.stop();
    await this.#started?.ended.catch(() => undefined);
  }

  /** Resolves at the end of the job that runs; rejects with what it threw. */
  get ended(): Promise<"done" | "stopped"> | undefined {
    return this.#started?.ended;
  }

  async #follow({ ended }: StartedJob): Promise<void> {
    try {
      const end = await ended;
      this.#change({ ...this.#job, status: end, ...(end === "done" && { stage: "ready" as const }) });
    } catch (thrown) {
      this.#change({ ...this.#job, status: "failed", error: messageOf(thrown) });
    }
  }

  /** As it is now: pages may not know of the last steps yet. */
  get #job(): MainJob {
    return { ...this.#live.current.job, ...(this.#meter && { progress: this.#meter.progress }) };
  }

  #hear(event: UpEvent, rssBytes: number): void {
    const job = this.#job;
    this.#hooks.onEvent(event, rssBytes);
    if (event.type === "document") {
      this.#numCut++;
      if (job.stage === "index") this.#progress.soon();
      else this.#change({ ...job, stage: "index" });
    } else if (event.type === "index") {
      this.#hooks.onIndex(event);
      this.#change({ ...job, stage: "plan" });
    } else if (event.type === "plan") {
      this.#hooks.onPlan(event.plan);
      this.#meter = new ProgressMeter(event.plan.tuning.steps);
      this.#change({ ...job, stage: "train", plan: planOf(event.plan), progress: this.#meter.progress });
    } else if (event.type === "train") {
      const point = this.#meter?.hear(event.event, rssBytes);
      if (!point) return;
      this.#hooks.onPoint(point);
      this.#progress.soon();
    } else {
      this.#change({ ...job, stage: "ready", result: resultOf(event.report) });
      this.#hooks.onReport(event.report);
    }
  }

  #change(job: MainJob): void {
    this.#progress.cancel();
    const label = workLabel(job, this.#numCut);
    const { progress } = job;
    const share = progress && progress.steps > 0 ? progress.step / progress.steps : undefined;
    this.#live.change({ job });
    if (label === undefined) this.#live.endWork(WORK);
    else this.#live.showWork({ id: WORK, label, ...(job.stage === "train" && share !== undefined && { share }) });
    this.#hooks.onChange(job);
  }
}

/** What every page says while the job goes on. */
function workLabel({ status, stage }: MainJob, numCut: number): string | undefined {
  if (status === "stopping") return "Stopping after this step";
  if (status !== "running") return undefined;
  const labels = {
    read: "Reading the folder",
    index: `Cutting and indexing: ${numCut} documents`,
    plan: "Measuring a training step",
    train: "Training on the folder",
    ready: "Measuring the tuned model",
  };
  return labels[stage];
}

function planOf({ origin, method, trainTokens, heldOutTokens, tuning }: UpPlan): JobPlan {
  const { numParameters, numTrainable, steps, predictedSeconds, memory } = tuning;
  return {
    origin,
    method,
    numParameters,
    numTrainable,
    steps,
    trainTokens,
    heldOutTokens,
    predictedSeconds,
    memory,
  };
}

function resultOf({ tuning, served, memory }: UpReport): JobResult {
  return {
    isCached: tuning.isCached,
    perplexityBefore: tuning.perplexityBefore,
    perplexityAfter: tuning.perplexityServed,
    seconds: tuning.seconds,
    steps: tuning.summary.steps,
    weights: served.format,
    predictedPeakBytes: memory.predicted.total,
    measuredPeakBytes: memory.measuredPeakBytes,
  };
}

/** As an earlier process left it. */
export const doneJob = (report: UpReport): MainJob => ({
  status: "done",
  stage: "ready",
  plan: planOf(report.plan),
  result: resultOf(report),
});
