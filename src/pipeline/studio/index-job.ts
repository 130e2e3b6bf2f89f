/** @file The index made anew with other settings, in a process of its own, while pages watch. */

import { messageOf } from "../../base/errors.js";
import { Refusal } from "../../server/refusal.js";
import type { LiveState } from "../../server/studio/live-state.js";
import type { Indexing, Work } from "../../server/studio/wire/index.js";
import { type StartedJob, startJob } from "../jobs/start-job.js";
import type { IndexSettings } from "../knowledge-base/settings.js";
import type { OpenKnowledge } from "./open-knowledge.js";

/** Its entry in what goes on. */
const WORK = "index";

export class IndexJob {
  readonly #live: LiveState;
  readonly #knowledge: OpenKnowledge;
  #started: StartedJob | undefined;

  constructor(live: LiveState, knowledge: OpenKnowledge) {
    this.#live = live;
    this.#knowledge = knowledge;
  }

  /** @throws Refusal 409 where it, or the main job, which has the index open for writing, is running. */
  start(settings: Pick<IndexSettings, "chunker" | "maxTokens" | "overlapTokens" | "code">): void {
    const { job, indexing } = this.#live.current;
    if (indexing?.status === "running") throw new Refusal(409, "the index is being made; wait until it is done");
    if (job.status === "running" || job.status === "stopping") {
      throw new Refusal(409, "the main job is running and may write the index; pause it, or wait until it is done");
    }
    const { folder, workspace } = this.#knowledge;
    let numCut = 0;
    this.#change({ status: "running" }, numCut);
    const started = startJob("index", { folder, workspace: workspace.root, settings }, (event) => {
      if (event.type === "document") this.#change({ status: "running" }, ++numCut);
    });
    this.#started = started;
    void this.#follow(started);
  }

  /** Stops it if it is running, and waits for its end. */
  async close(): Promise<void> {
    this.#started?.stop();
    await this.#started?.ended.catch(() => undefined);
  }

  async #follow({ ended }: StartedJob): Promise<void> {
    try {
      const isDone = (await ended) === "done";
      if (isDone) await this.#knowledge.reread(this.#live);
      this.#change(isDone ? { status: "done" } : { status: "failed", error: "stopped before its end; start it again" });
    } catch (thrown) {
      this.#change({ status: "failed", error: messageOf(thrown) });
    }
  }

  #change(indexing: Indexing, numCut = 0): void {
    this.#live.change({ indexing });
    if (indexing.status === "running") this.#live.showWork(this.#work(numCut));
    else this.#live.endWork(WORK);
  }

  #work(numCut: number): Work {
    const all = this.#live.current.index?.numDocuments ?? 0;
    return {
      id: WORK,
      label: "Cutting and indexing again",
      // the folder may have grown since
      ...(all > 0 && { share: Math.min(1, numCut / all) }),
      detail: `${numCut} documents`,
    };
  }
}
