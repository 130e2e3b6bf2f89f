/** @file Whole tuning runs in processes of their own. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TuneConfig, TuneReport } from "../../src/pipeline/tuning/index.js";
import { runModule } from "../bench.js";

export interface TuneRun {
  readonly config: TuneConfig;
  readonly memoryBytes?: number;
}

export type TuneRunResult = Pick<TuneReport, "summary" | "plan" | "memory" | "seconds" | "numTrainable">;

/** Runs it, and removes what it wrote. */
export function runTuning({ config, memoryBytes }: TuneRun): Promise<TuneRunResult> {
  const child = fileURLToPath(new URL("./tune-run-child.ts", import.meta.url));
  const out = join(mkdtempSync(join(tmpdir(), "tessera-tune-run-")), "run");
  const run: TuneRun = { config: { ...config, out }, ...(memoryBytes !== undefined && { memoryBytes }) };
  return runModule(child, JSON.stringify(run));
}
