/** @file A Studio: a folder, its index, its jobs and models, as the service behind the page. */

import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { ifThere } from "../../checkpoint/byte-file.js";
import { LiveState } from "../../server/studio/live-state.js";
import type { StudioService } from "../../server/studio/service.js";
import type { UpEvent, UpReport, UpRequest } from "../up.js";
import { Workspace } from "../workspace.js";
import { AskControl } from "./ask.js";
import { Documents } from "./documents.js";
import { IndexJob } from "./index-job.js";
import { MainJobControl } from "./main-job.js";
import { Models } from "./models.js";
import { OpenKnowledge } from "./open-knowledge.js";
import { PlanControl } from "./plan.js";
import { Preferences } from "./preferences.js";
import { RunsControl } from "./runs/runs.js";
import { WriteControl } from "./write.js";
import { openWriterProcess, Writers } from "./writers.js";

export interface StudioOptions extends UpRequest {
  /** Hears of all that the main job says, with the resident memory of its process. */
  readonly onEvent?: (event: UpEvent, rssBytes: number) => void;
}

/** Close it when done: it stops what runs, with checkpoints. */
export interface Studio extends StudioService, AsyncDisposable {
  readonly job: MainJobControl;
  /** Models that can be asked to write; whoever makes one adds it. */
  readonly writers: Writers;
}

/** Opens what earlier work has left of a folder: its index, its report, its runs. Nothing is started. */
export async function openStudio(options: StudioOptions): Promise<Studio> {
  const { folder, onEvent = () => undefined, ...rest } = options;
  const workspace = options.workspace ? new Workspace(options.workspace) : Workspace.for(folder);
  await workspace.prepare();
  const report = await readReport(workspace);
  const live = new LiveState(basename(resolve(folder)));
  const knowledge = new OpenKnowledge(folder, workspace);
  const index = await knowledge.facts();
  if (index) live.change({ index });
  const writers = new Writers(live, (source) => openWriterProcess(source, options.weights ?? "int8"));
  const { base } = options;
  if (base !== undefined)
    writers.add({ id: "base", label: `${basename(base)}, as it came`, kind: "base", model: base });
  const addTuned = ({ served }: UpReport): void =>
    writers.add({ id: "tuned", label: `tuned on ${live.current.folder}`, kind: "tuned", model: served.modelFolder });
  if (report) addTuned(report);
  const runs: RunsControl = await RunsControl.open(live, workspace, rest.base, () => job, writers);
  const job: MainJobControl = new MainJobControl(
    live,
    { ...rest, folder, workspace: workspace.root },
    {
      onEvent,
      onPlan: (plan) => runs.main.planned(plan),
      onPoint: (point) => runs.main.point(point),
      onChange: (changed) => runs.main.changed(changed),
      onReport: addTuned,
      onIndex: () => void knowledge.follow(live),
    },
    report,
  );
  const indexJob = new IndexJob(live, knowledge);
  return {
    live,
    job,
    ask: new AskControl(knowledge),
    runs,
    documents: new Documents(knowledge, indexJob),
    models: new Models(live, writers),
    write: new WriteControl(writers, knowledge),
    writers,
    preferences: await Preferences.open(workspace.path("preferences.jsonl"), live),
    plan: new PlanControl(),
    async [Symbol.asyncDispose]() {
      await job.close();
      await runs.close();
      await indexJob.close();
      await writers[Symbol.asyncDispose]();
      await knowledge.close();
    },
  };
}

/** What the last job came to; undefined where none was done, or by a version whose reports were others. */
async function readReport(workspace: Workspace): Promise<UpReport | undefined> {
  const path = workspace.path("report.json");
  const text = await ifThere(readFile(path, "utf8"), path);
  if (text === undefined) return undefined;
  try {
    const report = JSON.parse(text) as Partial<UpReport>;
    return report.plan?.run === undefined ? undefined : (report as UpReport);
  } catch {
    return undefined;
  }
}
