/** @file A run's settings and results, for reading. */

import { CheckpointError } from "../../../base/errors.js";
import type { RunDetail, RunReport } from "../../../server/studio/wire/index.js";
import { reportRows } from "../../tuning/index.js";
import type { Workspace } from "../../workspace.js";
import { type RunRecord, readResult, readTuneReport } from "./run-record.js";

/** As a configuration file has them. */
export const settingsOf = (record: RunRecord | undefined): RunDetail["settings"] =>
  Object.entries(record?.config ?? {}).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);

/** Of a run that is done. @throws CheckpointError for a report of another version. */
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
