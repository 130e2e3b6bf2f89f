/** @file All trainings of a workspace, as the pages see and steer them. */

import { randomUUID } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { totalmem } from "node:os";
import { basename, resolve } from "node:path";
import { ConfigError, messageOf } from "../../../base/errors.js";
import { removeFolder } from "../../../checkpoint/atomic.js";
import { ifThere } from "../../../checkpoint/byte-file.js";
import { methods } from "../../../peft/index.js";
import { precisions } from "../../../plan/index.js";
import { Refusal } from "../../../server/refusal.js";
import type { LiveState } from "../../../server/studio/live-state.js";
import type { Download, JobControl, Runs } from "../../../server/studio/service.js";
import type {
  ExportRequest,
  RunAction,
  RunChoices,
  RunDetail,
  RunPoint,
  RunRequest,
  RunSummary,
  Uploaded,
} from "../../../server/studio/wire/index.js";
import { algorithms, optimizers } from "../../../train/index.js";
import { lockRun } from "../../run-lock.js";
import { Workspace } from "../../workspace.js";
import type { Writers } from "../writers.js";
import { MainRun } from "./main-run.js";
import { RunExports } from "./run-exports.js";
import { listFiles, openFile } from "./run-files.js";
import {
  type RunRecord,
  readPoints,
  readRecord,
  readSamples,
  readStored,
  summaryOf,
  writeRecord,
} from "./run-record.js";
import { reportOf, settingsOf } from "./run-report.js";
import { checkConfig, expectPath, refusalOf } from "./start-faults.js";
import { replaced, TuneRun } from "./tune-run.js";
import { keepUpload } from "./uploads.js";

/** Enough for a million short examples. */
const UPLOAD_BYTES = 50 * 2 ** 20;

export class RunsControl implements Runs {
  readonly #runs: Workspace;
  readonly #going = new Map<string, TuneRun>();
  readonly #exports: RunExports;
  /** Hears of the main job. */
  readonly main: MainRun;

  private constructor(
    private readonly live: LiveState,
    private readonly workspace: Workspace,
    /** Path of the model that the Studio was started with. */
    private readonly base: string | undefined,
    private readonly mainJob: () => JobControl,
    private readonly writers: Writers,
  ) {
    this.#runs = new Workspace(workspace.path("runs"));
    this.#exports = new RunExports(live, this.#runs);
    this.main = new MainRun(live, this.#runs);
  }

  /** Shows what is on disk. */
  static async open(
    live: LiveState,
    workspace: Workspace,
    base: string | undefined,
    mainJob: () => JobControl,
    writers: Writers,
  ): Promise<RunsControl> {
    const control = new RunsControl(live, workspace, base, mainJob, writers);
    const root = workspace.path("runs");
    const entries = (await ifThere(readdir(root, { withFileTypes: true }), root)) ?? [];
    for (const entry of entries.filter((one) => one.isDirectory() && !one.name.includes(".tmp-"))) {
      const summary = await summaryOf(control.#runs, entry.name);
      if (!summary) continue;
      live.change({ runs: replaced(live.current.runs, summary) });
      if (summary.kind === "tune" && summary.status === "done") await control.#addWriter(summary.id);
    }
    return control;
  }

  async start(request: RunRequest): Promise<RunSummary> {
    const { name = "Tuning run", memoryBytes, base, data, ...rest } = request;
    const config = { ...rest, base: resolve(base), data: resolve(data) };
    await expectPath(config.base, "base", "a model: a folder, a GGUF or a llama2.c file");
    await expectPath(config.data, "data", "examples: a JSON, JSONL or text file, or a folder of these");
    checkConfig(config);
    const id = `${name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .slice(0, 32)}-${randomUUID().slice(0, 8)}`;
    const record: RunRecord = {
      kind: "tune",
      name,
      method: request.method,
      base: this.#label(config.base),
      startedAt: Date.now(),
      config,
      ...(memoryBytes !== undefined && { memoryBytes }),
    };
    await this.#runs.prepare(id);
    await writeRecord(record, this.#runs, id);
    const run = this.#begin(record, (await summaryOf(this.#runs, id))!);
    try {
      await run.begun;
    } catch (thrown) {
      await run.ended;
      await this.#forget(id);
      throw refusalOf(thrown);
    }
    return this.#summary(id);
  }

  async act(id: string, action: RunAction): Promise<void> {
    const summary = this.#summary(id);
    const { kind, status } = summary;
    const allowed: readonly string[] = {
      pause: ["running"],
      resume: ["stopped", "failed"],
      stop: ["running", "stopped"],
      remove: kind === "main" ? [] : ["stopped", "failed", "done"],
    }[action];
    if (!allowed.includes(status)) {
      const when = allowed.length > 0 ? `while it is ${allowed.join(" or ")}` : "in runs of the main job";
      throw new Refusal(409, `${action} is for a run ${when}; ${summary.name} is ${status}`);
    }
    if (kind === "main") this.#actOnMain(action);
    else await this.#actOnTuning(summary, action);
  }

  async detail(id: string): Promise<RunDetail> {
    this.#summary(id);
    const folder = this.#runs.path(id);
    const stored = await readStored(this.#runs, id);
    const report = stored?.isDone ? await reportOf(this.#runs, id, stored.record.kind) : undefined;
    return {
      id,
      ...(stored?.plan && { plan: stored.plan }),
      settings: settingsOf(stored?.record),
      samples: await readSamples(folder),
      ...(report && { report }),
      files: await listFiles(folder),
      exports: stored?.isDone ? RunExports.choices() : [],
    };
  }

  async points(id: string, from: number): Promise<readonly RunPoint[]> {
    this.#summary(id);
    return readPoints(this.#runs.path(id), from);
  }

  async export(id: string, request: ExportRequest): Promise<void> {
    const { status, name } = this.#summary(id);
    if (status !== "done") throw new Refusal(409, `${name} is ${status}; its model can be written once it is done`);
    await this.#exports.make(id, name, request);
    const summary = this.#summary(id);
    this.#show({ ...summary, revision: summary.revision + 1 });
  }

  async open(id: string, path: string): Promise<Download> {
    this.#summary(id);
    return openFile(this.#runs.path(id), path, id);
  }

  upload(name: string, bytes: Uint8Array): Promise<Uploaded> {
    return keepUpload(this.workspace, name, bytes);
  }

  choices(): RunChoices {
    const own = this.live.current.runs
      .filter(({ status }) => status === "done")
      .map(({ id, name }) => ({ path: resolve(this.#runs.path(id, "model")), label: `${name}, tuned` }));
    const given = this.base === undefined ? [] : [{ path: resolve(this.base), label: basename(this.base) }];
    return {
      bases: [...given, ...own],
      methods: [...Object.keys(methods), "qlora"],
      algorithms: Object.keys(algorithms),
      optimizers: Object.keys(optimizers),
      precisions,
      uploadBytes: UPLOAD_BYTES,
      machineBytes: totalmem(),
    };
  }

  /** Stops what runs, with checkpoints, and waits for its end. */
  async close(): Promise<void> {
    for (const run of this.#going.values()) run.pause();
    await Promise.all([...this.#going.values()].map(({ ended }) => ended));
    await this.#exports.close();
    await this.main.close();
  }

  #begin(record: RunRecord, summary: RunSummary): TuneRun {
    const { id } = summary;
    const run = new TuneRun(this.live, this.#runs, record, summary, async (thrown) => {
      this.#going.delete(id);
      const { error: _, ...kept } = record;
      await writeRecord(thrown === undefined ? kept : { ...kept, error: messageOf(thrown) }, this.#runs, id);
      if (thrown === undefined) await this.#addWriter(id);
    });
    this.#going.set(id, run);
    return run;
  }

  async #actOnTuning(summary: RunSummary, action: RunAction): Promise<void> {
    const { id, name } = summary;
    const going = this.#going.get(id);
    if (action === "remove") {
      await removeFolder(this.#runs.path(id));
      await this.#forget(id);
    } else if (going) {
      if (action === "pause") going.pause();
      else going.stop();
    } else {
      const record = await readRecord(this.#runs, id);
      if (!record) throw new Refusal(409, `${name} has lost its settings; start a new one`);
      await this.#expectFree(id);
      const run = this.#begin(record, summary);
      if (action === "stop") run.stop();
    }
  }

  #actOnMain(action: RunAction): void {
    const job = this.mainJob();
    if (action === "pause") job.stop();
    else if (action === "resume") job.start({});
    else job.finish();
  }

  /** @throws Refusal 409 where another process trains in the run's folder. */
  async #expectFree(id: string): Promise<void> {
    try {
      using _lock = await lockRun(this.#runs.path(id));
    } catch (thrown) {
      if (thrown instanceof ConfigError) throw new Refusal(409, thrown.message);
      throw thrown;
    }
  }

  async #forget(id: string): Promise<void> {
    if (await ifThere(stat(this.#runs.path(id)), id)) await removeFolder(this.#runs.path(id));
    for (const writer of [id, `base of ${id}`]) this.writers.remove(writer);
    this.live.change({ runs: this.live.current.runs.filter((run) => run.id !== id) });
  }

  /** A run that is done can be asked to write, and what it started from beside it. */
  async #addWriter(id: string): Promise<void> {
    const stored = await readStored(this.#runs, id);
    if (!stored?.isDone) return;
    const { name: label, base, config } = stored.record;
    const [model, adapter] = [this.#runs.path(id, "model"), this.#runs.path(id, "adapter")];
    const start = typeof config?.base === "string" ? config.base : undefined;
    if (start !== undefined && this.writers.sources.every((source) => resolve(source.model) !== start)) {
      this.writers.add({ id: `base of ${id}`, label: `${base}, as it came`, kind: "base", model: start });
    }
    const isWhole = (await ifThere(stat(model), model)) !== undefined;
    if (isWhole) this.writers.add({ id, label, kind: "tuned", model });
    else if (start !== undefined) this.writers.add({ id, label, kind: "adapter", model: start, adapter });
  }

  #summary(id: string): RunSummary {
    const summary = this.live.current.runs.find((run) => run.id === id);
    if (!summary) throw new Refusal(404, `there is no run ${JSON.stringify(id)}; the page lists those there are`);
    return summary;
  }

  #show(summary: RunSummary): void {
    this.live.change({ runs: replaced(this.live.current.runs, summary) });
  }

  /** A model as people call it: another run's by that run's name. */
  #label(path: string): string {
    const known = this.choices().bases.find((base) => base.path === path);
    return known?.label ?? basename(path);
  }
}
