/** @file A run's model in the formats of other programs, made when they are asked for. */

import { type ExportFormat, exporters } from "../../../export/index.js";
import { Refusal } from "../../../server/refusal.js";
import type { LiveState } from "../../../server/studio/live-state.js";
import type { ExportChoice, ExportRequest } from "../../../server/studio/wire/index.js";
import { startJob } from "../../jobs/start-job.js";
import type { Workspace } from "../../workspace.js";

export class RunExports {
  readonly #going = new Map<string, Promise<void>>();

  constructor(
    private readonly live: LiveState,
    private readonly runs: Workspace,
  ) {}

  /** Formats of whole models: adapters are written by runs themselves. */
  static choices(): ExportChoice[] {
    return Object.values(exporters)
      .filter(({ writes }) => writes === "merged")
      .map(({ name, about, dtypes }) => ({ format: name, about, dtypes: Object.keys(dtypes) }));
  }

  /**
   * Resolves when the files are there.
   * @throws Refusal 400 for a format or type that there is not, 409 where this is being made.
   */
  make(id: string, name: string, { format, dtype }: ExportRequest): Promise<void> {
    const choice = RunExports.choices().find((one) => one.format === format);
    if (!choice) {
      const names = RunExports.choices().map((one) => one.format);
      throw new Refusal(400, `a model can be written as ${names.join(", ")}, not as ${format}`, "format");
    }
    const type = dtype ?? choice.dtypes[0]!;
    if (!choice.dtypes.includes(type)) {
      throw new Refusal(400, `${format} holds weights as ${choice.dtypes.join(", ")}, not as ${type}`, "dtype");
    }
    const key = `export:${id}:${format}:${type}`;
    if (this.#going.has(key))
      throw new Refusal(409, `${name} is being written as ${format} (${type}); wait for its end`);
    const label = `Writing ${name} as ${format} (${type})`;
    this.live.showWork({ id: key, label, detail: "and comparing it with the model" });
    const request = { run: this.runs.path(id), format: format as ExportFormat, dtype: type };
    const made = startJob("export", request, () => undefined).ended.then(
      () => this.#end(key),
      (thrown) => {
        this.#end(key);
        throw thrown;
      },
    );
    this.#going.set(key, made);
    return made;
  }

  #end(key: string): void {
    this.#going.delete(key);
    this.live.endWork(key);
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#going.values());
  }
}
