/** @file A run's settings, samples and results, for reading. */

import { CheckpointError } from "../../../base/errors.js";
import type { RunReport, RunSamples } from "../../../server/studio/wire/index.js";
import { reportRows } from "../../tuning/index.js";
import type { Workspace } from "../../workspace.js";
import { type RunRecord, readResult, readSamples, readTuneReport } from "./run-record.js";

/** As a configuration file has them. */
export const settingsOf = (record: RunRecord | undefined): RunDetailSettings =>
  Object.entries(record?.config ?? {}).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);

type RunDetailSettings = readonly (readonly [name: string, value: string])[];

export const samplesOf = (runs: Workspace, id: string): Promise<RunSamples[]> => readSamples(runs.path(id));

export async function reportOf(runs: Workspace, id: string, kind: RunRecord["kind"]): Promise<RunReport | undefined> {
  if (kind === "main") {
    const result = await readResult(runs, id);
    if (!result) return undefined;
    const { summary, seconds, tokensPerSecond } = result;
    return { steps: summary.steps, reason: summary.reason, seconds, tokensPerSecond, facts: [] };
  }
  const report = await readTuneReport(runs, id);
  if (!report) return undefined;
  try {
    const { summary, seconds, tokensPerSecond, memory } = report;
    const { steps, reason } = summary;
    return { steps, reason, seconds, tokensPerSecond, peakBytes: memory.measuredPeakBytes, facts: reportRows(report) };
  } catch (thrown) {
    const path = runs.path(id, "report.json");
    throw new CheckpointError(`${path} was written by another version; report.md beside it can be read`, {
      cause: thrown,
    });
  }
}
