/** @file A Studio: a folder, its index, its jobs and models, as the service behind the page. */

import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { ifThere } from "../../checkpoint/byte-file.js";
import { Refusal } from "../../server/refusal.js";
import { LiveState } from "../../server/studio/live-state.js";
import type { StudioService } from "../../server/studio/service.js";
import type { IndexFacts, StudioState } from "../../server/studio/wire/index.js";
import { pickTopics } from "../../server/topics.js";
import { KnowledgeBase } from "../knowledge-base/knowledge-base.js";
import type { UpEvent, UpOptions, UpReport } from "../up.js";
import { Workspace } from "../workspace.js";
import { AskControl } from "./ask.js";
import { MainJobControl } from "./main-job.js";
import { Preferences } from "./preferences.js";
import { WriteControl } from "./write.js";
import { openWriterProcess, Writers } from "./writers.js";

export interface StudioOptions extends Omit<UpOptions, "signal"> {
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
  const start: StudioState = {
    folder: basename(resolve(folder)),
    job: { status: "idle", stage: "read" },
    runs: [],
    writers: [],
    preferences: { numPairs: 0, numUndecided: 0 },
    work: [],
  };
  const live = new LiveState(start);
  const knowledge = new OpenKnowledge(folder, workspace);
  const index = await knowledge.facts(report?.index.skipped ?? []);
  if (index) live.change({ index });
  const writers = new Writers(live, (source) => openWriterProcess(source, options.weights ?? "int8"));
  const { base } = options;
  if (base !== undefined)
    writers.add({ id: "base", label: `${basename(base)}, as it came`, kind: "base", model: base });
  const addTuned = ({ served }: UpReport): void =>
    writers.add({ id: "tuned", label: `tuned on ${start.folder}`, kind: "tuned", model: served.modelFolder });
  if (report) addTuned(report);
  const job = new MainJobControl(
    live,
    { ...rest, folder, workspace: workspace.root },
    {
      onEvent,
      onPlan: () => undefined,
      onPoint: () => undefined,
      onReport: addTuned,
      onIndex: ({ report: { skipped } }) => {
        void knowledge.reopen().then(async () => {
          const now = await knowledge.facts(skipped);
          if (now) live.change({ index: now });
        });
      },
    },
    report,
  );
  return {
    live,
    job,
    ask: new AskControl(knowledge),
    write: new WriteControl(writers, knowledge),
    writers,
    preferences: await Preferences.open(workspace.path("preferences.jsonl"), live),
    async [Symbol.asyncDispose]() {
      await job.close();
      await writers[Symbol.asyncDispose]();
      await knowledge.close();
    },
  };
}

/** The index as it is read here, while jobs write it in processes of their own. */
export class OpenKnowledge {
  #opened: Promise<KnowledgeBase> | undefined;

  constructor(
    readonly folder: string,
    readonly workspace: Workspace,
  ) {}

  /** @throws Refusal 409 while nothing is indexed. */
  async get(): Promise<KnowledgeBase> {
    const knowledge = await this.#open();
    if ((await knowledge.store.count()) > 0) return knowledge;
    throw new Refusal(409, "the folder is not indexed yet; start the job, or wait until it has cut the documents");
  }

  /** Reads the index anew after it was written. */
  async reopen(): Promise<void> {
    await this.close();
  }

  /** What is indexed; undefined where nothing is. */
  async facts(skipped: IndexFacts["skipped"]): Promise<IndexFacts | undefined> {
    const { store, settings } = await this.#open();
    const paths = [...(await store.documents()).keys()].sort();
    if (paths.length === 0) return undefined;
    const chunks = [];
    for (const path of paths) chunks.push(...(await store.chunks(path)));
    return {
      numDocuments: paths.length,
      numChunks: chunks.length,
      embedder: settings.embedder,
      skipped: skipped.map(({ path, reason, detail }) => ({ path, reason, detail })),
      topics: pickTopics(chunks),
    };
  }

  #open(): Promise<KnowledgeBase> {
    this.#opened ??= KnowledgeBase.open(this.folder, { workspace: this.workspace.root });
    return this.#opened;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await (await opened?.catch(() => undefined))?.close();
  }
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
